"""A folder kept under the key of its content: built by one process, checked at each start."""

import hashlib
import random
import shutil
import sys
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

from filelock import FileLock, Timeout

from gantrain.data.formats.decode import DAMAGED_PICTURE, REFUSED
from gantrain.data.source import Source
from gantrain.errors import UserError
from gantrain.folders import cache_folder

FULL_CHECK_BYTES = 256 << 20
SAMPLED_BLOCKS = 32
BLOCK_BYTES = 4 << 20


class Found(Protocol):
    """What a cache is read as."""

    unreadable: dict[int, str]


Cache = TypeVar("Cache", bound=Found)


def kept(
    source: Source,
    content: str,
    folder: Path | None,
    read: Callable[[Path], Cache | None],
    build: Callable[[Path], None],
) -> Cache:
    """The cache of `source` whose key is made of `content`, in `folder`, as `read` gives it.

    Where that is None, or what could not be opened then can be by now, `build` makes it anew in a folder of another
    name, one process at a time. Raises UserError where it cannot be written.
    """
    folder = folder or cache_folder()
    key = hashlib.blake2b(content.encode(), digest_size=8).hexdigest()
    place = folder / key
    found = read(place)
    if found is not None and not _opens_now(source, found):
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / f".{key}.lock"):
            found = read(place)  # another process may have built it while this one waited
            if found is not None and not _opens_now(source, found):
                return found
            part = folder / f".{key}.part"
            build(part)
            clear(place)  # damaged, or of another version
            part.replace(place)
    except OSError as error:
        where = f" at {error.filename}" if error.filename else ""
        raise UserError(
            f"data.cache_dir: cannot write the cache in {folder} ({error.strerror or error}{where}); "
            f"free space or name another folder with data.cache_dir="
        ) from error
    built = read(place)
    if built is None:
        raise UserError(f"data.cache_dir: the cache just written in {place} reads back damaged; check that disk")
    return built


def clear(place: Path) -> None:
    """Remove a cache, or whatever else lies in its place."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


def _opens_now(source: Source, cached: Found) -> bool:
    """Whether a picture that the system refused to open, say for its permissions, can be opened by now."""
    for index, reason in cached.unreadable.items():
        if reason.startswith(REFUSED):
            try:
                with source.read(index):
                    return True
            except DAMAGED_PICTURE:
                continue
    return False


def _alone(file: Path) -> FileLock:
    lock = FileLock(file)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        print(f"another process builds this cache; waiting for it ({file})", file=sys.stderr, flush=True)
        return lock.acquire()


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
