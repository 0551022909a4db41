"""How far a verb is: a bar on a terminal, a line every few seconds in a log, nothing where it is quick."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from gantrain.drawing.text import clock

Item = TypeVar("Item")
SECONDS = 5.0  # between lines
DELAY = 1  # seconds before a bar appears


def shown(items: Iterable[Item], total: int, unit: str) -> Iterator[Item]:
    """The items one by one; what is told is how many of `total` are done and the time left."""
    bar = tqdm(total=total, unit=f" {unit}", delay=DELAY, dynamic_ncols=True, disable=not sys.stderr.isatty())
    began = told = time.monotonic()
    with bar:
        for done, item in enumerate(items):
            if done:
                bar.update()
                if bar.disable and time.monotonic() - told >= SECONDS:
                    told = time.monotonic()
                    left = clock((told - began) / done * (total - done))
                    print(f"{done:,} of {total:,} {unit}, {left} left", file=sys.stderr, flush=True)
            yield item
        bar.update()
