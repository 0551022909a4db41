"""Output that survives a closed pipe or terminal, so that hours of training do not end with it."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from gantrain.errors import lacking


@contextlib.contextmanager
def lasting(log: Path) -> Iterator[None]:
    """While entered, output that can no longer be printed goes to the file `log`, and all later output as well.

    An error in a library's thread about a full disk or memory is printed as one line: joining the thread raises it
    again.
    """
    hook = threading.excepthook
    threading.excepthook = lambda args: _tell(args) or hook(args)
    try:
        with (
            contextlib.redirect_stdout(_Lasting(sys.stdout, log)),
            contextlib.redirect_stderr(_Lasting(sys.stderr, log)),
        ):
            yield
    finally:
        threading.excepthook = hook


def _tell(args: threading.ExceptHookArgs) -> bool:
    reason = lacking(args.exc_value)
    if reason is not None:
        print(f"gantrain: a logger cannot write: {reason}", file=sys.stderr, flush=True)
    return reason is not None


class _Lasting:
    def __init__(self, stream: TextIO, log: Path):
        self._stream, self._log = stream, log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        return self._try(self._stream.write, text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, act: Callable, *words: str) -> Any:
        try:
            return act(*words)
        except OSError:
            file = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            os.dup2(file, self._stream.fileno())  # what is buffered goes there too, and at the exit nothing fails again
            os.close(file)
            return act(*words)
