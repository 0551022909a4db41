"""How far a verb is: a bar on a terminal, a line every few seconds in a log, nothing where it is quick."""

import contextlib
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from gantrain.drawing.text import clock

Item = TypeVar("Item")
SECONDS = 5.0  # between lines
DELAY = 1  # seconds before a bar appears


class Progress:
    """Counts what is done of `total`, of which `done` were there before; `task` stands before the bar."""

    def __init__(self, total: int, unit: str, done: int = 0, task: str | None = None):
        self.total, self.unit, self.done = total, unit, done
        self._before, self._began = done, time.monotonic()
        self._told = self._began
        look = {"desc": task, "unit": f" {unit}", "delay": DELAY, "dynamic_ncols": True}
        self._bar = tqdm(total=total, initial=done, disable=not sys.stderr.isatty(), **look)

    def advance(self, count: int = 1) -> None:
        self.done += count
        self._bar.update(count)
        if self._bar.disable and self.done < self.total and time.monotonic() - self._told >= SECONDS:
            self._told = time.monotonic()
            print(self.line((self.done - self._before) / (self._told - self._began)), file=sys.stderr, flush=True)

    def line(self, speed: float) -> str:
        """What a log is told, at so many in a second."""
        return f"{self.done:,} of {self.total:,} {self.unit}, {clock((self.total - self.done) / speed)} left"

    def close(self) -> None:
        self._bar.close()


def track(items: Iterable[Item], total: int, unit: str) -> Iterator[Item]:
    """The items one by one; what is told is how many of `total` are done and the time left."""
    with contextlib.closing(Progress(total, unit)) as progress:
        for item in items:
            yield item
            progress.advance()
