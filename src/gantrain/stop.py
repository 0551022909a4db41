"""Ctrl-C and SIGTERM: the first asks training to end after the iteration, the second kills."""

import os
import signal
import threading
from types import FrameType
from typing import Any


class StopSignals:
    """While entered, the first SIGINT or SIGTERM is kept in `received` for whoever asks.

    `leader` is False in the other processes of a run, which do what rank 0 decides.
    """

    def __init__(self, leader: bool = True):
        self.leader = leader
        self.received = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():  # only there can handlers be set
            self._before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
            self.listen()
        return self

    def listen(self) -> None:
        """Take the signals over, also from Lightning, whose own handlers exit with other codes."""
        for number in self._before:
            signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.received = number

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
