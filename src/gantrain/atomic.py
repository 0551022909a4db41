"""Files that are whole or not there."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A temporary file beside `file` that takes its place once it is whole and on the disk."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode  # some writers make files that only their owner may read
        yield temporary
        temporary.chmod(mode)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
