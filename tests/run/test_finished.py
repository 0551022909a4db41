"""A finished stage keeps what is used of it, and not the optimizers that nothing needs."""

from pathlib import Path

import torch

from gantrain.run.finished import drop_optimizers
from gantrain.run.folder import Run, read

STATE = {
    **{key: {} for key in ("networks", "ema", "optimizers", "scaler", "turns", "statistics")},
    "iteration": 8,
    "images_seen": 16,
    "rng": [],
    "meters": [],
}


def saved(iteration, best=False, **state):
    Run("run").config_file.parent.mkdir(parents=True, exist_ok=True)
    file = Run("run").save_checkpoint("gan", {**STATE, "iteration": iteration, **state}, keep=2, best=best)
    return file, file.stat().st_size


def test_the_newest_and_the_best_lose_their_optimizers_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    weights, moments = {"g": {"w": torch.arange(4.0)}}, {"g": {"exp_avg": torch.zeros(1000)}}
    older, _ = saved(4, best=True, networks=weights, optimizers=moments)
    newest, size = saved(8, networks=weights, optimizers=moments)
    drop_optimizers(Run("run"), "gan")
    assert not older.exists()
    assert newest.stat().st_size < size - 3900
    for file, iteration in ((newest, 8), (newest.with_name("best.ckpt"), 4)):
        state = read(file)
        assert state["iteration"] == iteration
        assert state["optimizers"] == {}
        assert torch.equal(state["networks"]["g"]["w"], torch.arange(4.0))


def test_where_the_newest_cannot_be_read_all_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    older, _ = saved(4, optimizers={"g": {}})
    newest, _ = saved(8, optimizers={"g": {}})
    newest.write_bytes(b"cut off")
    drop_optimizers(Run("run"), "gan")
    assert newest.read_bytes() == b"cut off"
    assert read(older)["optimizers"] == {"g": {}}
    assert sorted(Path("run/checkpoints/gan").iterdir()) == [older, newest]
