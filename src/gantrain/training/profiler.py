"""Where the time of a stage goes: Lightning tells its profiler of every call, this one adds them up by part."""

import re
import resource
import sys
import time

import torch
from pytorch_lightning.profilers import Profiler

ITERATIONS = "run_training_batch"  # Lightning's name for a round of iterations with its data
CALLBACK = re.compile(r"\[Callback\](\w+)")


class StageProfiler(Profiler):
    """`seconds` of the iterations and of each callback, by its name in lower case; of its `actions` by Lightning's."""

    def __init__(self) -> None:
        super().__init__()
        self.actions: dict[str, float] = {}
        self._began: dict[str, float] = {}

    def start(self, action_name: str) -> None:
        self._began[action_name] = time.monotonic()

    def describe(self) -> None:
        """Lightning's would print a table."""

    def stop(self, action_name: str) -> None:
        passed = time.monotonic() - self._began.pop(action_name, time.monotonic())
        self.actions[action_name] = self.actions.get(action_name, 0.0) + passed

    @property
    def seconds(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for action, spent in self.actions.items():
            if part := part_of(action):
                found[part] = found.get(part, 0.0) + spent
        return found


def part_of(action: str) -> str | None:
    """The part that one of Lightning's actions belongs to; None for those inside of others, and for its own."""
    if action == ITERATIONS:
        return "iterations"
    callback = CALLBACK.match(action)
    return callback[1].lower() if callback else None


def most_memory() -> dict[str, int]:
    """The most memory that this process has taken, in MB: of the machine, and of a GPU where it has used one."""
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    memory = {"process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // 10**6}
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        memory["gpu"] = torch.cuda.max_memory_allocated() // 10**6
    return memory
