"""Work in a process of its own that need not import anything anew."""

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

from gantrain.cli.main import main
from gantrain.training import worker

FORK = multiprocessing.get_context("fork")
OUTPUT = Path("output.txt")


class Forked:
    """A process that does `work` and ends with the code that this returns. What it says is in the file `OUTPUT`."""

    def __init__(self, work):
        self.process = FORK.Process(target=self._do, args=(work,))
        self.process.start()
        self.pid = self.process.pid

    def _do(self, work):
        with OUTPUT.open("w", buffering=1) as sys.stdout:
            sys.stderr = sys.stdout
            for descriptor in (1, 2):
                os.dup2(sys.stdout.fileno(), descriptor)
            sys.exit(work())

    def send(self, number):
        os.kill(self.pid, number)

    def when(self, condition, seconds=60):
        """Wait until the condition holds, while the process lives."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.is_alive(), self.said()
            assert time.monotonic() < end
            time.sleep(0.02)

    def ended(self, seconds=60):
        """Wait for its end; its exit code."""
        self.process.join(seconds)
        assert not self.process.is_alive(), self.said()
        return self.process.exitcode

    def said(self):
        return OUTPUT.read_text() if OUTPUT.exists() else ""


def forked(*words):
    """The program in a process of its own."""
    return Forked(lambda: main([str(word) for word in words]))


class ForkedWorker:
    """What a worker's command does, without a start that imports everything anew."""

    def __init__(self, command, env, **_):
        self.process = FORK.Process(target=self._work, args=(command[3:], env))
        self.process.start()
        self.pid = self.process.pid

    def _work(self, words, env):
        os.environ.update(env)
        sys.exit(worker.main(*words))

    @property
    def returncode(self):
        return self.process.exitcode

    def poll(self):
        return self.returncode

    def wait(self, timeout=None):
        self.process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("a worker", timeout)
        return self.returncode

    def kill(self):
        self.process.kill()
