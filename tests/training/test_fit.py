"""A run's stages, whatever stops them, and what they leave."""

from pathlib import Path

import pytest
import torch
from compare import newest

from gantrain.run.folder import Run

TINY = ("debug=tiny", "callbacks.samples.count=4")


def test_a_bug_in_training_is_no_mistake_of_the_user(gantrain, monkeypatch):
    def bug(*_):
        raise ValueError("a bug")

    monkeypatch.setattr("gantrain.models.latent.LatentGAN.losses", bug)
    with pytest.raises(ValueError, match="a bug"):
        gantrain(*TINY, "hydra.run.dir=run")


def test_threads_are_those_of_one_run(gantrain):
    before = torch.get_num_threads()
    short = ("iterations=1", "evaluation=none", "callbacks.networks=null")  # threads wait for each other
    result = gantrain(*TINY, *short, f"trainer.threads={before + 1}", "hydra.run.dir=run")
    assert f"({before + 1} threads)" in result.out
    assert torch.get_num_threads() == before


def test_a_run_remembers_its_cache_from_wherever_it_is_resumed(gantrain, tmp_path):
    assert gantrain(*TINY, "data.cache_dir=mine", "hydra.run.dir=run").code == 0
    assert Run("run").config()["data"]["cache_dir"] == str(tmp_path / "mine")


def test_what_a_kill_left_in_the_middle_of_a_save_goes(gantrain, run):
    cut_off = run / "checkpoints/train/.00000003.ckpt.4711"
    cut_off.write_bytes(b"half")
    assert gantrain("resume", "run", "iterations=3").code == 0
    assert not cut_off.exists()
    assert newest("run")["iteration"] == 3


def test_a_full_disk_keeps_the_last_checkpoint(gantrain, monkeypatch):
    save = torch.save

    def full(state, stream):
        if state["iteration"] <= 2:
            return save(state, stream)
        with Path("/dev/full").open("wb") as nowhere:  # a disk without space, as torch meets it
            return save(state, nowhere)

    words = (*TINY, "iterations=4", "callbacks.checkpoint.every_seconds=0", "hydra.run.dir=run")
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        result = gantrain(*words)
    assert result.code == 2
    assert "the disk is full" in result.err
    assert "gantrain resume run" in result.err
    assert "Traceback" not in result.err
    assert {file.name for file in Path("run/checkpoints/train").iterdir()} == {"00000001.ckpt", "00000002.ckpt"}
    assert gantrain("resume", "run").code == 0


def test_divergence_stops_with_the_last_good_checkpoint_and_likely_causes(gantrain):
    words = (*TINY, "iterations=50", "callbacks.checkpoint.every_seconds=0", "hydra.run.dir=run")
    result = gantrain(*words, "models.players.generator.optimizer.lr=1e38")
    assert result.code == 1, result
    assert "is not finite" in result.err
    assert "learning rate" in result.err
    assert str(Path("run/checkpoints")) in result.err
    assert "not finished" in Path("run/report.html").read_text()
    assert "Traceback" not in result.err
    assert all(torch.isfinite(w).all() for net in newest("run")["networks"].values() for w in net.values())


def test_a_runs_directory_holds_what_the_design_says(run):
    for name in ("weights.safetensors", "ema.safetensors", "config.json"):
        assert (run / "networks/generator" / name).is_file()
    assert {p.name for p in (run / "samples").iterdir()} == {"00000000.png", "00000002.png", "progress.gif"}
    assert list((run / "tensorboard").glob("events.out.tfevents.*"))
    assert (run / ".hydra/config.yaml").is_file()
