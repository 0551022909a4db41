"""Pictures decoded and resized once: a memory-mapped uint8 array on disk, found again by its content's key.

A cache is a folder `<key>`: `pixels.u8` (rows), `looks.npy` (how each file looked), `meta.json` (checksums, reasons).
The key covers the source's fingerprint, the size, the channels and the framing, so a changed source is another cache;
whatever lies in the folder of caches may be deleted at any time. Every start compares the lengths of the files and the
checksums of all blocks of a small cache (up to 256 MB), or of the last and 32 others, drawn anew, of a large one.

While a cache is built it is `.<key>.part`, with a journal of its finished chunks; an interrupted build goes on from it.
One process builds, others that want the same cache wait for it at `.<key>.lock`.
"""

import hashlib
import json
import mmap
import os
import random
import shutil
import sys
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from filelock import FileLock, Timeout

from gantrain.data.decode import DAMAGED, REFUSED
from gantrain.data.fill import Done, Job, Journal, chunk_rows, fill, processes_for
from gantrain.data.progress import Progress
from gantrain.data.source import Source
from gantrain.errors import UserError
from gantrain.folders import cache_folder

VERSION = 2  # raise it when the same source would give other bytes
LOOK = np.dtype([("width", "<u4"), ("height", "<u4"), ("mode", "S8")])
FULL_CHECK_BYTES = 256 << 20
SAMPLED_BLOCKS = 32
BLOCK_BYTES = 4 << 20
# What is read through a map counts as this process' memory, up to 2 MB for a single picture, and letting go of it costs
# more than reading a file: batches of a larger cache are read, at 6 instead of 3 microseconds a picture of 12 KB.
MAPPED_BYTES = 128 << 20


class Cached:
    """Pictures `images` (n, channels, size, size) uint8, mapped from disk, and class numbers `labels` (n,) or None.

    `rows` (n,) are the pictures' numbers in the source; `looks` (n,) their width, height and mode there; `unreadable`
    maps the numbers of those left out to the reason; `checksums` are those of the pixels' blocks.
    """

    def __init__(self, place: Path, shape: tuple[int, ...], looks: np.ndarray, meta: dict[str, Any], source: Source):
        self.place = place
        self.unreadable = {int(index): str(reason) for index, reason in meta["unreadable"].items()}
        self.checksums = meta["pixels"]
        self.rows = np.flatnonzero(looks["width"])
        self.looks = looks[self.rows]
        self.labels = None if source.labels is None else source.labels[self.rows].astype(np.int64)
        self._file = (place / "pixels.u8").open("rb", buffering=0)
        mapped = (
            mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if shape[0] else b""
        )  # no map of an empty file
        # A plain array: indexing an np.memmap builds a memmap for every batch, at several times the cost.
        self.images = np.frombuffer(mapped, np.uint8).reshape(shape)

    def take(self, indices: np.ndarray) -> np.ndarray:
        """A copy of these pictures (n, channels, size, size), whose memory is all that it costs."""
        if self.images.nbytes <= MAPPED_BYTES:
            return self.images[indices]
        batch = np.empty((len(indices), *self.images.shape[1:]), np.uint8)
        for row, index in zip(batch, indices.tolist(), strict=True):
            self._file.seek(index * row.nbytes)
            self._file.readinto(row)
        return batch


def open_cache(
    source: Source, size: int, channels: int, folder: Path | None = None, processes: int | None = None
) -> Cached:
    """The cache of `source` at this size, built first where it is missing, of another version or damaged.

    Pictures that cannot be read are left out and listed; the caller decides whether that will do.
    """
    content = repr((VERSION, source.fingerprint, size, channels, source.framing))

    def build(part: Path) -> None:
        job = Job(source, size, channels, part / "pixels.u8", chunk_rows(channels * size**2))
        _build(job, processes or processes_for(source))

    return kept(source, content, folder, lambda place: _read(place, source, size, channels), build)


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
            except DAMAGED:
                continue
    return False


def _alone(file: Path) -> FileLock:
    lock = FileLock(file)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        print(f"another process builds this cache; waiting for it ({file})", file=sys.stderr, flush=True)
        return lock.acquire()


# ---- building --------------------------------------------------------------------------------------------------------


def _build(job: Job, processes: int) -> None:
    part = job.file.parent
    if not part.is_dir():
        clear(part)
    part.mkdir(exist_ok=True)
    journal = Journal(part / "journal.jsonl", job)
    finished = journal.read()
    journal.write(finished)
    _reserve(job)
    looks = np.zeros(len(job.source), LOOK)
    reasons: dict[int, str] = {}
    for done in finished:
        _note(done, job, looks, reasons)
    missing = sorted(set(job.chunks) - {done.chunk for done in finished})
    progress = Progress(len(job.source), sum(len(job.span(done.chunk)) for done in finished))

    def tell(done: Done) -> None:
        journal.add(done)
        _note(done, job, looks, reasons)
        progress.advance(len(job.span(done.chunk)))

    try:
        fill(job, missing, processes, tell)
    finally:
        progress.close()
    if reasons:
        _close_gaps(job, looks["width"] > 0)
    np.save(part / "looks.npy", looks, allow_pickle=False)
    meta = {
        "version": VERSION,
        "rows": int((looks["width"] > 0).sum()),
        "pixels": checksums(job.file),
        "looks": checksums(part / "looks.npy"),
        "unreadable": reasons,
    }
    (part / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    journal.file.unlink()
    for file in part.iterdir():
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())  # whole before it has its name, also after a power cut


def _reserve(job: Job) -> None:
    needed = len(job.source) * job.row_bytes
    have = job.file.stat().st_size if job.file.exists() else 0
    if needed - have > shutil.disk_usage(job.file.parent).free:
        raise OSError(f"it needs {needed / 1e9:,.1f} GB")
    with job.file.open("ab") as stream:
        stream.truncate(needed)


def _note(done: Done, job: Job, looks: np.ndarray, reasons: dict[int, str]) -> None:
    for index, look in zip(job.span(done.chunk), done.looks, strict=True):
        if isinstance(look, str):
            reasons[index] = look
        else:
            looks[index] = look


def _close_gaps(job: Job, readable: np.ndarray) -> None:
    """Move the rows up over the unreadable ones; interrupted here, the journal's checksums tell what is lost."""
    end = 0
    with job.file.open("r+b") as stream:
        for chunk in job.chunks:
            span = job.span(chunk)
            stream.seek(span.start * job.row_bytes)
            rows = np.frombuffer(stream.read(len(span) * job.row_bytes), np.uint8).reshape(len(span), -1)
            stream.seek(end)
            end += stream.write(rows[readable[span.start : span.stop]].tobytes())
        stream.truncate(end)


# ---- reading ---------------------------------------------------------------------------------------------------------


def _read(place: Path, source: Source, size: int, channels: int) -> Cached | None:
    pixels = place / "pixels.u8"
    try:
        meta = json.loads((place / "meta.json").read_text(encoding="utf-8"))
        shape = (int(meta["rows"]), channels, size, size)
        if meta["version"] != VERSION or pixels.stat().st_size != np.prod(shape):
            return None
        if not (sound(place / "looks.npy", meta["looks"]) and sound(pixels, meta["pixels"])):
            return None
        looks = np.load(place / "looks.npy", allow_pickle=False)
        if looks.dtype != LOOK or len(looks) != len(source) or (looks["width"] > 0).sum() != shape[0]:
            return None
        return Cached(place, shape, looks, meta, source)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # missing or damaged: it is built anew


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
