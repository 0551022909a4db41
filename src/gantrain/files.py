"""Files: written whole or not at all, known by their sha256, and words that stand in the place of one."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

UNTRAINED = "untrained"  # in the place of a file of weights: random ones, for dry runs
TORCHSCRIPT = (".pt", ".ts", ".torchscript")  # suffixes


@contextlib.contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A temporary file beside `file` that takes its place once it is whole and on the disk. Raises OSError.

    A device, a pipe, a folder or a link, as /dev/stdout is one, is not replaced.
    """
    if file.is_symlink() or (file.exists() and not file.is_file()):
        raise OSError(errno.EEXIST, "it is a link" if file.is_symlink() else "it is no file", str(file))
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.unlink(missing_ok=True)  # a killed process of the same number, or a stranger's link
        temporary.touch(exist_ok=False)
        mode = temporary.stat().st_mode  # some writers make files that only their owner may read
        yield temporary
        temporary.chmod(mode)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def sha256(file: Path) -> str:
    """A file's sha256 in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
