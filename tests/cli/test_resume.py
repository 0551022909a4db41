"""A run goes on: what may change, and what becomes of damaged checkpoints."""

import shutil
from pathlib import Path

import pytest
import torch
from compare import newest
from refusals import refused

from gantrain.cli.main import main
from gantrain.run.folder import Run

TINY = ("debug=tiny", "callbacks.samples.count=4")


@pytest.fixture(scope="module")
def saved_often(tmp_path_factory):
    """A run of four iterations with a checkpoint after each, once."""
    folder = tmp_path_factory.mktemp("saved_often") / "run"
    assert main([*TINY, "callbacks.checkpoint.every_seconds=0", "iterations=4", f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.mark.parametrize(
    "override",
    [
        "iterations=null",
        "trainer=null",
        "data.root=null",
        "data.root=",
        "data.root=[a]",
        "logger=3",
        "seed=3",
        "data.size=8",
        "models.players.generator.networks=[discriminator]",
        "models.players.generator.every=2",
        "models.players.generator.optimizer=null",
        "models.players.generator.optimizer._target_=torch.optim.SGD",
        "models.players.critic.optimizer.lr=1",
        "models.players.generator.schedule=3",
        "losses.penalties.r1.weight=3",
        "networks.generator.width=9",
        "trainer.precision=bf16-mixed",
        "experiment=x",
        "x",
    ],
)
def test_forbidden_overrides_on_resume(gantrain, run, override):
    refused(gantrain("resume", "run", override), override.partition("=")[0])


def test_allowed_overrides_on_resume(gantrain, run, tmp_path):
    result = gantrain(
        "resume", "run", "iterations=3", "trainer.accelerator=cpu", "evaluation=null", f"data.root={tmp_path}"
    )
    assert result.code == 0, result
    assert newest("run")["iteration"] == 3
    assert gantrain("resume", "run", "epochs=1").code == 0
    assert newest("run")["iteration"] == 8  # 64 images in batches of 8
    assert gantrain("resume", "run", "iterations=9", "data.cache_dir=2024-01-01").code == 0
    assert Run("run").config()["data"]["cache_dir"] == str(tmp_path / "2024-01-01")
    assert any((tmp_path / "2024-01-01").iterdir())


def optimizer_of(folder, player):
    state = newest(folder)
    return state["optimizers"][player]["param_groups"][0], state["optimizers"][player]["state"], state


CHANGED = "models.players.generator.optimizer.lr"


def test_a_run_goes_on_with_another_rate_schedule_or_batch_size(gantrain, bare, run):
    _, moments, state = optimizer_of("run", "generator")
    rate = Run("run").config()["models"]["players"]["generator"]["optimizer"]["lr"]
    key = "models.players.generator.schedule"
    result = gantrain("resume", "run", "iterations=3", f"{CHANGED}=0.25", "data.batch_size=4", f"{key}=null")
    assert result.code == 0, result
    assert f"changed  after 2 iterations {CHANGED}: {rate} to 0.25" in result.out
    group, _, after = optimizer_of("run", "generator")
    assert (group["lr"], after["iteration"]) == (0.25, 3)
    assert after["images_seen"] == state["images_seen"] + 4
    other, then = optimizer_of("run", "discriminator")[0], state["optimizers"]["discriminator"]["param_groups"][0]
    assert 0 < other["lr"] < then["lr"]  # its own schedule goes on
    assert optimizer_of("run", "generator")[1][0]["step"] == moments[0]["step"] + 1
    schedule = "{_target_: torch.optim.lr_scheduler.ExponentialLR, _partial_: true, gamma: 0.5}"
    assert gantrain("resume", "run", "iterations=4", f"{key}={schedule}").code == 0
    assert optimizer_of("run", "generator")[0]["lr"] == 0.25 * 0.5**4
    assert gantrain("resume", "run", "iterations=5", f"{CHANGED}=1").code == 0
    assert optimizer_of("run", "generator")[0]["lr"] == 0.5**5
    bare.undo()  # its page tells of the changes
    assert gantrain("resume", "run", "iterations=6", f"{key}=null").code == 0
    assert optimizer_of("run", "generator")[0]["lr"] == 1
    told = (run / "changes.txt").read_text().splitlines()
    assert len(told) == 6, told
    assert told[0].startswith("after 2 iterations data.batch_size: 8 to 4")
    assert "after 2 iterations data.batch_size: 8 to 4" in (run / "report.html").read_text()


def test_nothing_is_noted_where_nothing_changes(gantrain, run):
    rate = Run("run").config()["models"]["players"]["generator"]["optimizer"]["lr"]
    assert gantrain("resume", "run", "iterations=3", f"{CHANGED}={rate}").code == 0
    assert not (run / "changes.txt").exists()


def test_a_key_cut_short_is_named_whole(gantrain, run):
    refused(gantrain("resume", "run", "lr=1e-4"), "lr: ", f"{CHANGED}=")
    refused(gantrain("resume", "run", "learning_rate=1e-4"), f"{CHANGED}=")
    refused(gantrain("resume", "run", "batch_size=4"), "write data.batch_size=")
    refused(gantrain("resume", "run", "networks.generator.width=9"), "a resumed run keeps its config;")


def test_a_finished_run_trains_nothing(gantrain, run):
    before = (run / "checkpoints/train/00000002.ckpt").read_bytes()
    result = gantrain("resume", "run")
    assert result.code == 0
    assert "nothing left to train" in result.out
    assert (run / "checkpoints/train/00000002.ckpt").read_bytes() == before
    config = (run / ".hydra/config.yaml").read_text()
    refused(gantrain("resume", "run", "iterations=1"), "iterations", "2")
    assert (run / ".hydra/config.yaml").read_text() == config


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "other", "hostile", "lacking", "wrong"])
def test_a_corrupt_last_checkpoint_falls_back_to_the_one_before(gantrain, saved_often, damage):
    shutil.copytree(saved_often, "run")
    last = Path("run/checkpoints/train/00000004.ckpt")
    data = bytearray(last.read_bytes())
    if damage == "truncated":
        last.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        weight = newest("run")["networks"]["discriminator"]["head.weight"]
        data[data.find(weight.numpy().tobytes()) + 5] ^= 1
        last.write_bytes(data)
    elif damage == "empty":
        last.write_bytes(b"")
    elif damage == "other":
        torch.save({"something": torch.zeros(3)}, last)
    elif damage == "lacking":
        torch.save({key: value for key, value in newest("run").items() if key != "iteration"}, last)
    elif damage == "wrong":
        torch.save({**newest("run"), "optimizers": 3}, last)
    else:
        torch.save({"networks": Opens()}, last)
    result = gantrain("resume", "run")
    assert result.code == 0, result
    assert "00000004.ckpt cannot be read" in result.err
    assert "trying the one before" in result.err
    assert newest("run")["iteration"] == 4
    assert not Path("hacked").exists()
    assert Path("run/checkpoints/train/00000004.ckpt.broken").exists()


def test_a_run_whose_checkpoints_are_all_damaged_is_left_alone(gantrain, saved_often):
    shutil.copytree(saved_often, "run")
    for file in Path("run/checkpoints/train").glob("*.ckpt"):
        file.write_bytes(b"")
    before = {file: file.read_bytes() for file in Path("run").rglob("*") if file.is_file()}
    result = gantrain("resume", "run", "iterations=5")
    assert result.code == 2
    assert "none of its checkpoints can be read" in result.err
    config = Path("run/.hydra/config.yaml")
    assert {file: file.read_bytes() for file in before if file != config} == {
        file: data for file, data in before.items() if file != config
    }


class Opens:
    """What a hostile checkpoint would run when it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("hacked"),))
