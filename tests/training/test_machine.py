"""What of a machine a run asks for: compiled networks."""

from pathlib import Path

import pytest
from compare import differences, newest
from toys import game

from gantrain.errors import UserError
from gantrain.models.loop import compiled
from gantrain.training.machine import check_machine, compiled_for, set_up

TRAINER = {"accelerator": "cpu", "devices": 1, "precision": "32-true"}


def test_nothing_is_compiled_unless_asked_for(monkeypatch):
    monkeypatch.setattr(compiled, "BACKEND", lambda graph, inputs: pytest.fail("compiled"))
    for trainer in (TRAINER, {**TRAINER, "compile": "none"}):  # runs of before have no such key
        check_machine(trainer)
        assert compiled_for(game(), trainer).forwards == {}
        assert "compile" not in set_up(trainer)


def test_a_compiler_that_does_not_work_is_told_before_anything_is_written(gantrain, monkeypatch):
    def broken(graph, inputs):
        raise OSError("there is no g++")

    monkeypatch.setattr(compiled, "BACKEND", broken)
    with pytest.raises(UserError, match=r"trainer\.compile=default: .*no g\+\+"):
        check_machine({**TRAINER, "compile": "default"})
    refused = gantrain("debug=tiny", "trainer.compile=default", "hydra.run.dir=run")
    assert (refused.code, len(refused.err.strip().splitlines())) == (2, 1)
    assert not Path("run").exists()


def test_a_compiled_run_is_like_any_other(gantrain, monkeypatch):
    """With a backend that runs every graph as it is: the same bits, also resumed, and the same files."""
    graphs = []

    def keeps(graph, inputs):
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(compiled, "BACKEND", keeps)
    words = ("debug=tiny", "evaluation=none", "logger=none")
    assert gantrain(*words, "iterations=2", "hydra.run.dir=plain").code == 0
    assert gantrain(*words, "iterations=1", "trainer.compile=default", "hydra.run.dir=run").code == 0
    resumed = gantrain("resume", "run", "iterations=2")
    assert resumed.code == 0, resumed
    assert "not compiled" not in resumed.out
    assert len(graphs) > 4
    assert differences(newest("run"), newest("plain")) == []
    assert gantrain("sample", "run", "-n", 4, "--out", "out").code == 0
