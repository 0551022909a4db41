"""A run's stages, whatever stops them, and what they leave."""

import os
import resource
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
from compare import newest
from forked import Forked

from gantrain.cli.main import main
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


@pytest.mark.whole
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
    pictures = {p.name for p in (run / "samples").iterdir()} - {"progress.mp4"}  # where its extra is installed
    assert pictures == {"00000000.png", "00000002.png", "progress.gif", "real.png", "nearest.png"}
    assert (run / "provenance.jsonl").is_file()
    assert list((run / "tensorboard").glob("events.out.tfevents.*"))
    assert (run / ".hydra/config.yaml").is_file()


def contents(run):
    return {file: file.read_bytes() for file in run.rglob("*") if file.is_file() and file.name != "lock"}


@pytest.mark.parametrize(
    "gone", ["checkpoints", "checkpoints/train", "checkpoints/train/*.ckpt", "checkpoints/train/*"]
)
@pytest.mark.parametrize("version", ["now", "earlier"])
def test_nothing_is_trained_over_a_run_whose_checkpoints_are_gone(gone, version, gantrain, run):
    for place in run.glob(gone):
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    if version == "earlier":
        (run / ".hydra/train.begun").unlink()
    before = contents(run)
    result = gantrain("resume", "run", "iterations=3")
    assert result.code == 2
    assert "its checkpoints are gone" in result.err
    assert contents(run) == before


def test_a_run_goes_on_from_its_best_checkpoint_where_no_other_is_left(gantrain, run):
    last = run / "checkpoints/train/00000002.ckpt"
    last.rename(last.with_name("best.ckpt"))
    result = gantrain("resume", "run", "iterations=1")
    assert (result.code, "has 2 already" in result.err) == (2, True)
    last.unlink()
    result = gantrain("resume", "run", "iterations=3")
    assert (result.code, "going on from there" in result.err) == (0, True)
    assert newest("run")["iteration"] == 3


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew(gantrain, run):
    for place in ("checkpoints", "networks"):
        shutil.rmtree(run / place)
    (run / ".hydra/train.begun").unlink()
    assert gantrain("resume", "run").code == 0
    assert newest("run")["iteration"] == 2


def test_a_run_has_one_process(gantrain, run):
    before = contents(run)

    def train():
        with Run("run").locked():
            time.sleep(60)

    other = Forked(train)
    other.when(lambda: (run / ".hydra/lock").read_text() == str(other.pid))
    for words in (("resume", "run", "iterations=3"), ("debug=tiny", "hydra.run.dir=run")):
        result = gantrain(*words)
        assert result.code == 2
    assert gantrain("resume", "run", "iterations=3").err == (
        f"gantrain: run: process {other.pid} is training or writing this run; wait until it ends, or stop it\n"
    )
    assert contents(run) == before
    other.send(signal.SIGKILL)
    other.ended()
    assert gantrain("resume", "run", "iterations=3").code == 0


@pytest.mark.parametrize("kilobytes", [20, 100, 200, 300])
def test_a_disk_that_is_full_at_any_size_is_one_sentence(kilobytes, run):
    def resume():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, resource.RLIM_INFINITY))
        return main(["resume", "run", "iterations=3"])

    process = Forked(resume)
    assert process.ended() == 2, process.said()
    assert "File too large" in process.said()
    assert "the last whole checkpoint is kept" in process.said()
    assert "Traceback" not in process.said()
    assert newest("run")["iteration"] >= 2
    assert not list(run.rglob(".*.ckpt.*"))


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: tried 9 GB")]
)
def test_too_little_memory_is_one_sentence(error, gantrain, monkeypatch):
    def losses(*_):
        raise error

    monkeypatch.setattr("gantrain.models.latent.LatentGAN.losses", losses)
    result = gantrain(*TINY, "hydra.run.dir=run")
    assert (result.code, "not enough memory" in result.err) == (2, True)


@pytest.mark.parametrize(
    "place", ["samples", "checkpoints", "networks/generator", ".hydra", "metrics.jsonl", "tensorboard", "scores.jsonl"]
)
def test_a_link_does_not_lead_out_of_a_run(place, gantrain, run, tmp_path):
    outside = tmp_path / "outside"
    if (run / place).exists():
        (run / place).rename(outside)
    else:
        outside.mkdir()
    (outside / "00000009.png").write_text("mine") if outside.is_dir() else None
    (run / place).symlink_to(outside)
    before = contents(tmp_path)
    result = gantrain("resume", "run", "iterations=3")
    assert (result.code, "leads out of the run" in result.err) == (2, True)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("place", ["checkpoints/train/00000009.ckpt", "metrics.jsonl", ".hydra/lock"])
def test_a_pipe_in_a_run_does_not_hang(place, gantrain, run):
    (run / place).unlink(missing_ok=True)
    os.mkfifo(run / place)
    result = gantrain("resume", "run", "iterations=3")
    assert (result.code, "is no file" in result.err) == (2, True)


def test_only_the_runs_own_pictures_and_checkpoints_are_touched(gantrain, run):
    mine = [run / "samples" / name for name in ("7.png", "²³.png", "2024.png")]
    mine += [run / "checkpoints/train" / name for name in ("²³.ckpt", "7.ckpt")]
    for file in mine:
        file.write_text("mine")
    assert gantrain("resume", "run", "iterations=3").code == 0
    assert all(file.read_text() == "mine" for file in mine)


def test_a_layer_that_cannot_be_deterministic_is_told_in_a_sentence(gantrain, monkeypatch):
    def refused(*_):
        raise RuntimeError(
            "some_backward_cuda does not have a deterministic implementation, but you set it. Turn it off"
        )

    monkeypatch.setattr("gantrain.models.latent.LatentGAN.losses", refused)
    result = gantrain(*TINY, "hydra.run.dir=run")
    assert result.code == 2
    assert "some_backward_cuda does not have a deterministic implementation; train with" in result.err
