"""Stopped from outside: Ctrl-C, SIGTERM, kill -9."""

import os
import signal
import sys
from pathlib import Path

import pytest
from compare import differences, newest
from forked import Forked, forked

from gantrain.cli.main import main
from gantrain.run.folder import Run
from gantrain.signals import StopSignals

RECORDS = ("callbacks.samples.count=4", "callbacks.metrics.every=1")
WORDS = ("debug=tiny", *RECORDS, "hydra.run.dir=run", "callbacks.progress.seconds=0.2")
METRICS = Path("run/metrics.jsonl")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_with_a_checkpoint_the_line_to_resume_and_its_code(number, code, gantrain):
    process = forked(*WORDS, "iterations=1000000")
    process.when(lambda: METRICS.is_file() and METRICS.read_text().count("\n") > 2)
    process.send(number)
    assert process.ended() == code, process.said()
    assert "gantrain resume run" in process.said()
    assert "Traceback" not in process.said()
    stopped = newest("run")["iteration"]
    assert stopped > 0
    assert gantrain("resume", "run", f"iterations={stopped + 3}").code == 0
    assert gantrain(*WORDS, f"iterations={stopped + 3}", "hydra.run.dir=straight").code == 0
    assert differences(newest("run"), newest("straight")) == []


def test_kill_loses_at_most_what_came_after_the_last_checkpoint(gantrain):
    process = forked(*WORDS, "iterations=1000000", "callbacks.checkpoint.every_seconds=0.3")
    process.when(lambda: len(Run("run").checkpoint_files("train")) == 2)
    process.send(signal.SIGKILL)
    process.ended()
    assert len(Run("run").checkpoint_files("train")) == 2
    kept = newest("run")["iteration"]
    assert gantrain("sample", "run", "-n", 2).code == 0
    assert gantrain("resume", "run", f"iterations={kept + 2}").code == 0
    assert newest("run")["iteration"] == kept + 2


def test_training_goes_on_where_only_the_output_is_gone():
    def train():
        reader, pipe = os.pipe()
        os.close(reader)
        sys.stdout = os.fdopen(pipe, "w")
        return main([*WORDS, "iterations=20", "callbacks.progress.seconds=0"])

    assert Forked(train).ended() == 0
    assert newest("run")["iteration"] == 20
    assert "20/20" in Path("run/log.txt").read_text()


def test_nohup_is_heeded():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.received
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_killed_worker_ends_the_run_with_one_line(quick_workers):
    process = forked(*WORDS[:-1], "callbacks.progress.seconds=0", "trainer.devices=2", "iterations=1000000")
    process.when(lambda: "/1,000,000" in process.said(), seconds=120)
    (worker,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(worker), signal.SIGKILL)
    assert process.ended() == 2, process.said()
    assert process.said().splitlines()[-1].startswith(f"gantrain: process {worker} of the run was ended")
    assert "Traceback" not in process.said()
