"""Stopped from outside: Ctrl-C, SIGTERM, kill -9."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from compare import differences, newest

from gantrain.run.folder import Run
from gantrain.signals import StopSignals

WORDS = ("debug=tiny", "hydra.run.dir=run", "callbacks.progress.seconds=0.2")


def start(*words):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "gantrain", *WORDS, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def wait_for(condition, process):
    end = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_with_a_checkpoint_the_line_to_resume_and_its_code(number, code, gantrain):
    process = start("iterations=1000000")
    wait_for(lambda: Path("run/samples/00000000.png").is_file(), process)
    time.sleep(0.5)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == code, out
    assert "gantrain resume run" in out
    assert "Traceback" not in out
    stopped = newest("run")["iteration"]
    assert stopped > 0
    assert gantrain("resume", "run", f"iterations={stopped + 3}").code == 0
    assert gantrain(WORDS[0], f"iterations={stopped + 3}", "hydra.run.dir=straight").code == 0
    assert differences(newest("run"), newest("straight")) == []


def test_kill_loses_at_most_what_came_after_the_last_checkpoint(gantrain):
    process = start("iterations=1000000", "callbacks.checkpoint.every_seconds=0.3")
    wait_for(lambda: len(Run("run").checkpoint_files("train")) == 2, process)
    process.kill()
    process.communicate()
    assert len(Run("run").checkpoint_files("train")) == 2
    kept = newest("run")["iteration"]
    assert gantrain("sample", "run", "-n", 2).code == 0
    assert gantrain("resume", "run", f"iterations={kept + 2}").code == 0
    assert newest("run")["iteration"] == kept + 2


def test_training_goes_on_where_only_the_output_is_gone(gantrain):
    process = start("iterations=60", "callbacks.progress.seconds=0", "callbacks.networks=null")
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert newest("run")["iteration"] == 60
    assert "60/60" in Path("run/log.txt").read_text()


def test_nohup_is_heeded():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.received
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_killed_worker_ends_the_run_with_one_line():
    process = start(
        "trainer.devices=2", "iterations=1000000", "callbacks.networks=null", "callbacks.progress.seconds=0"
    )
    lines = iter(process.stdout.readline, "")
    assert next(line for line in lines if "/1,000,000" in line)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    worker = next(c for c in children if b"gantrain.training.worker" in Path(f"/proc/{c}/cmdline").read_bytes())
    os.kill(int(worker), signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2, out
    assert out.splitlines()[-1].startswith(f"gantrain: process {worker} of the run was ended")
    assert "Traceback" not in out
