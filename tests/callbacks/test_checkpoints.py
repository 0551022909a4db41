"""When checkpoints are written and how many stay."""

from pathlib import Path

import torch

TINY = ("debug=tiny", "callbacks.samples.count=4", "hydra.run.dir=run")


def names():
    return sorted(file.name for file in Path("run/checkpoints/train").glob("*.ckpt"))


def test_the_newest_stay(gantrain):
    assert gantrain(*TINY, "iterations=5", "callbacks.checkpoint={every_seconds:0,keep:3}").code == 0
    assert names() == ["00000003.ckpt", "00000004.ckpt", "00000005.ckpt"]


def test_one_at_the_end_at_least(gantrain):
    assert gantrain(*TINY, "iterations=3").code == 0
    assert names() == ["00000003.ckpt"]


def test_they_hold_tensors_and_plain_types_only(gantrain):
    assert gantrain(*TINY).code == 0
    state = torch.load("run/checkpoints/train/00000002.ckpt", weights_only=True)
    assert set(state) == {
        *("networks", "ema", "optimizers", "schedules", "scaler", "iteration", "images_seen", "turns"),
        *("statistics", "meters", "rng", "data"),
    }
