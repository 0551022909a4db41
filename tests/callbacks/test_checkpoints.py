"""When checkpoints are written and how many stay."""

import os
import signal
import time
from pathlib import Path

import pytest
import torch
from toys import Discriminator, Generator, game

from gantrain.callbacks.checkpoints import Checkpoints, refuse_if_not_finite
from gantrain.callbacks.metrics import Metrics
from gantrain.callbacks.samples import Samples
from gantrain.errors import Diverged
from gantrain.run.folder import Run
from gantrain.signals import StopSignals

TINY = ("debug=tiny", "callbacks.samples.count=4", "evaluation=none", "hydra.run.dir=run")


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
        *("networks", "ema", "optimizers", "scaler", "iteration", "images_seen", "turns"),
        *("statistics", "meters", "rng", "stateful", "shared", "data"),
    }


def test_a_second_signal_waits_until_the_checkpoint_is_whole(gantrain, monkeypatch):
    killed, whole = [], []
    save = Run.save_checkpoint

    def signalled(self, *args):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)  # to whichever thread the system likes
        time.sleep(0.1)
        whole.append(killed == [])
        return save(self, *args)

    monkeypatch.setattr(StopSignals, "_kill", staticmethod(killed.append))
    monkeypatch.setattr(Run, "save_checkpoint", signalled)
    assert gantrain(*TINY, "iterations=3", "callbacks.checkpoint.every_seconds=0").code == 130
    assert whole[0]
    assert killed[0] == signal.SIGINT
    assert names()[0] == "00000001.ckpt"


def test_only_weights_and_statistics_must_be_finite():
    module = game(networks={"generator": Generator(), "discriminator": Discriminator(norm=True)})
    module.networks["generator"].register_buffer("mask", torch.tensor([0.0, -torch.inf]))
    refuse_if_not_finite(module)
    module.networks["discriminator"].layers[1].running_var[0] = torch.nan
    with pytest.raises(Diverged, match=r"layers\.1\.running_var of network 'discriminator'"):
        refuse_if_not_finite(module)
    with torch.no_grad():
        module.networks["discriminator"].layers[1].running_var[0] = 1.0
        module.networks["generator"].layers[0].weight[0, 0] = torch.inf
    with pytest.raises(Diverged, match=r"layers\.0\.weight of network 'generator'"):
        refuse_if_not_finite(module)


def test_counts_are_whole():
    for callback, options in ((Checkpoints, {"keep": 1.5}), (Metrics, {"every": 1.5}), (Samples, {"count": 0.5})):
        with pytest.raises(ValueError, match=f"{next(iter(options))} is .*, it must be a whole number of 1 or more"):
            callback(**options)
