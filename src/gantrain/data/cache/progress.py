"""How far a cache is: a bar on a terminal, a plain line every few seconds in a log, nothing for a short build."""

import sys
import time

from tqdm import tqdm

DELAY = 1  # seconds before a bar appears


class Progress:
    """Counts pictures decoded, of `total`, of which `done` were there before."""

    def __init__(self, total: int, done: int, seconds: float = 5.0):
        self.total, self.count, self.seconds = total, done, seconds
        self._before, self._start = done, time.monotonic()
        self._told = self._start
        look = {"desc": "decoding", "unit": " images", "delay": DELAY, "dynamic_ncols": True}
        self._bar = tqdm(total=total, initial=done, disable=not sys.stderr.isatty(), **look)

    def advance(self, count: int) -> None:
        self.count += count
        self._bar.update(count)
        if self._bar.disable and time.monotonic() - self._told >= self.seconds:
            self._told = time.monotonic()
            speed = (self.count - self._before) / (self._told - self._start)
            print(
                f"decoded {self.count:,} of {self.total:,} images, {speed:,.0f} images/s, "
                f"{(self.total - self.count) / speed:,.0f} s left",
                file=sys.stderr,
                flush=True,
            )

    def close(self) -> None:
        self._bar.close()
