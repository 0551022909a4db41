"""What of a machine a run asks for: compiled networks, memory that stays."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest
from compare import differences, newest
from toys import game

from gantrain.errors import UserError
from gantrain.models.loop import compiled
from gantrain.training.machine import check_machine, compiled_for, set_up

TRAINER = {"accelerator": "cpu", "devices": 1, "precision": "32-true"}
# How often the system gives the process a page while it takes and frees 16 MiB, twenty times.
PAGES = """
import resource, torch
from gantrain.training.machine import set_up
set_up({"accelerator": "cpu", "threads": 1})
for i in range(30):
    if i == 10:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    parts = [torch.ones(2**20) for _ in range(4)]
    del parts
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_memory_that_an_iteration_frees_stays_for_the_next():
    done = subprocess.run([sys.executable, "-c", PAGES], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1000  # else 82,000: 4,096 pages each time
