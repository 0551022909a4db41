"""Ctrl-C, SIGTERM and a closed terminal: the first asks training to end after the iteration, the second kills."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """While entered, the first SIGINT, SIGTERM or SIGHUP is kept in `received` for whoever asks."""

    def __init__(self) -> None:
        self.received = 0
        self._before: dict[int, Any] = {}
        self._holding = False
        self._waiting = 0

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():  # only there can handlers be set
            before: dict[int, Any] = {number: signal.getsignal(number) for number in STOPPING}
            if before.get(signal.SIGHUP) == signal.SIG_IGN:  # `nohup`
                del before[signal.SIGHUP]
            self._before = before
            self.listen()
        return self

    def listen(self) -> None:
        """Take the signals over, also from Lightning, whose own handlers exit with other codes."""
        for number in self._before:
            signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received and self._holding:
            self._waiting = number
        elif self.received:
            self._kill(number)
        else:
            self.received = number

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep the second signal waiting: it must not cut a checkpoint short.

        A mask would not do: it is a thread's own, and the system gives the signal to another.
        """
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
            if self._waiting:
                self._kill(self._waiting)

    @staticmethod
    def _kill(number: int) -> None:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
