"""A folder kept under the key of its content: built by one process, checked at each start."""

import contextlib
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from filelock import FileLock, Timeout

from gantrain.data.formats.decode import DAMAGED_PICTURE, REFUSED
from gantrain.data.source import Source
from gantrain.errors import UserError
from gantrain.folders import cache_folder

LOOK = np.dtype([("width", "<u4"), ("height", "<u4"), ("mode", "S8")])
FULL_CHECK_BYTES = 256 << 20
SAMPLED_BLOCKS = 32
BLOCK_BYTES = 4 << 20


class Kept:
    """What is read of the cache in the folder `place`; `take` of a subclass gives its pictures by their numbers.

    `rows` (n,) are the pictures' numbers in the source; `looks` (n,) their width, height and mode there; `unreadable`
    maps the numbers of those left out to the reason.
    """

    def __init__(self, place: Path, looks: np.ndarray, meta: dict[str, Any]):
        self.place = place
        self.unreadable = {int(index): str(reason) for index, reason in meta["unreadable"].items()}
        self.rows = np.flatnonzero(looks["width"])
        self.looks = looks[self.rows]

    def take(self, indices: np.ndarray) -> Sequence[np.ndarray]:
        raise NotImplementedError

    def digests(self) -> Iterator[bytes]:
        """A hash of each picture's pixels and shape, in the order of the rows."""
        for i in range(len(self.rows)):
            pixels = self.take(np.array([i]))[0]
            yield hashlib.blake2b(repr(pixels.shape).encode() + pixels.tobytes(), digest_size=16).digest()


Cache = TypeVar("Cache", bound=Kept)
Read = Callable[[Path, dict[str, Any]], Cache | None]  # from the folder and its meta.json


def kept(source: Source, content: str, folder: Path | None, read: Read[Cache], build: Callable[[Path], None]) -> Cache:
    """The cache of `source` whose key is made of `content`, in `folder`, as `read` gives it.

    Where that is None, or what could not be opened then can be by now, `build` makes it anew in a folder of another
    name, one process at a time. Raises UserError where it cannot be written.
    """
    folder = folder or cache_folder()
    key = hashlib.blake2b(content.encode(), digest_size=8).hexdigest()
    place = folder / key
    if (found := _found(place, read, source)) is not None:
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / f".{key}.lock"):
            if (found := _found(place, read, source)) is not None:
                return found  # another process built it while this one waited
            part = folder / f".{key}.part"
            if not part.is_dir():
                clear(part)
            part.mkdir(exist_ok=True)
            build(part)
            clear(place)  # damaged, or of another version
            part.replace(place)
    except OSError as error:
        where = f" at {error.filename}" if error.filename else ""
        raise UserError(
            f"data.cache_dir: cannot write the cache in {folder} ({error.strerror or error}{where}); "
            f"free space or name another folder with data.cache_dir="
        ) from error
    built = _found(place, read)
    if built is None:
        raise UserError(f"data.cache_dir: the cache just written in {place} reads back damaged; check that disk")
    return built


def clear(place: Path) -> None:
    """Remove a cache, or whatever else lies in its place."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


def _found(place: Path, read: Read[Cache], source: Source | None = None) -> Cache | None:
    """What is kept, or None where it is missing, damaged, or lacks what `source` can open by now."""
    try:
        found = read(place, json.loads((place / "meta.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if found is not None and source is not None:
        for index, reason in found.unreadable.items():
            if reason.startswith(REFUSED):  # say for its permissions
                with contextlib.suppress(*DAMAGED_PICTURE), source.read(index):
                    return None
    return found


def _alone(file: Path) -> contextlib.AbstractContextManager:
    lock = FileLock(file)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        # A process that decodes for a script without a `__main__` guard runs the script again: it would wait for the
        # one that waits for it. Without it that one says so.
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            os._exit(1)
        print(f"another process builds this cache; waiting for it ({file})", file=sys.stderr, flush=True)
        return lock.acquire()


def seal(part: Path, meta: dict[str, Any]) -> None:
    """Add what is known of a cache, its last file: it is whole before it has its name, also after a power cut."""
    (part / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    for file in part.iterdir():
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())


def looks_in(place: Path, count: int) -> np.ndarray:
    """How each of the `count` files of the source looked, a width of 0 where it is unreadable. Raises ValueError."""
    looks = np.load(place / "looks.npy", allow_pickle=False)
    if looks.dtype != LOOK or len(looks) != count:
        raise ValueError("of another source")
    return looks


def sound(file: Path, checksums: list[int]) -> bool:
    """Whether the file's blocks have these checksums; of a large file's, the last and some others."""
    count = len(checksums)
    if count != -(-file.stat().st_size // BLOCK_BYTES):
        return False
    blocks: Iterable[int] = range(count)
    if count * BLOCK_BYTES > FULL_CHECK_BYTES:
        # Drawn by the system: the global generators belong to training.
        blocks = {count - 1, *random.SystemRandom().sample(range(count), min(SAMPLED_BLOCKS, count))}
    with file.open("rb") as stream:
        return all(_checksum(stream, block) == checksums[block] for block in blocks)


def checksums(file: Path) -> list[int]:
    count = -(-file.stat().st_size // BLOCK_BYTES)
    with file.open("rb") as stream:
        return [_checksum(stream, block) for block in range(count)]


def _checksum(stream, block: int) -> int:
    stream.seek(block * BLOCK_BYTES)
    return zlib.crc32(stream.read(BLOCK_BYTES))
