"""Pictures decoded and resized once: a memory-mapped uint8 array on disk, found again by its content's key.

A cache is a folder `<key>`: `pixels.u8` (rows), `looks.npy` (how each file looked), `meta.json` (checksums, reasons).
The key covers the source's fingerprint, the size, the channels and the framing, so a changed source is another cache;
whatever lies in the folder of caches may be deleted at any time. Every start compares the lengths of the files and the
checksums of all blocks of a small cache (up to 256 MB), or of the last and 32 others, drawn anew, of a large one.

While a cache is built it is `.<key>.part`, with a journal of its finished chunks; an interrupted build goes on from it.
One process builds, others that want the same cache wait for it at `.<key>.lock`.
"""

import mmap
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from gantrain.data.cache.fill import Done, Job, Journal, chunk_rows, fill, processes_for
from gantrain.data.cache.kept import LOOK, Kept, checksums, kept, looks_in, seal, sound
from gantrain.data.cache.progress import Decoding
from gantrain.data.source import Source

VERSION = 2  # raise it when the same source would give other bytes
# What is read through a map counts as this process' memory, up to 2 MB for a single picture, and letting go of it costs
# more than reading a file: batches of a larger cache are read, at 6 instead of 3 microseconds a picture of 12 KB.
MAPPED_BYTES = 128 << 20


class Cached(Kept):
    """Pictures `images` (n, channels, size, size) uint8, mapped from disk, and class numbers `labels` (n,) or None.

    `checksums` are those of the pixels' blocks.
    """

    def __init__(self, place: Path, shape: tuple[int, ...], looks: np.ndarray, meta: dict[str, Any], source: Source):
        super().__init__(place, looks, meta)
        self.checksums = meta["pixels"]
        self.labels = None if source.labels is None else source.labels[self.rows].astype(np.int64)
        self._file = (place / "pixels.u8").open("rb", buffering=0)
        # No map of an empty file.
        mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if shape[0] else b""
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

    return kept(source, content, folder, lambda place, meta: _read(place, meta, source, size, channels), build)


# ---- building --------------------------------------------------------------------------------------------------------


def _build(job: Job, processes: int) -> None:
    part = job.file.parent
    looks = np.zeros(len(job.source), LOOK)
    reasons: dict[int, str] = {}

    def note(done: Done) -> None:
        for index, look in zip(job.span(done.chunk), done.looks, strict=True):
            if isinstance(look, str):
                reasons[index] = look
            else:
                looks[index] = look

    journal = Journal(part / "journal.jsonl", job)
    finished = journal.read()
    for done in finished:
        note(done)
    _reserve(job)
    missing = sorted(set(job.chunks) - {done.chunk for done in finished})
    with closing(Decoding(len(job.source), sum(len(done.looks) for done in finished))) as progress:
        for done in fill(job, missing, processes):
            journal.add(done)
            note(done)
            progress.advance(len(done.looks))
    if reasons:
        _close_gaps(job, looks["width"] > 0)
    np.save(part / "looks.npy", looks, allow_pickle=False)
    meta = {
        "version": VERSION,
        "rows": int(np.count_nonzero(looks["width"])),
        "pixels": checksums(job.file),
        "looks": checksums(part / "looks.npy"),
        "unreadable": reasons,
    }
    journal.file.unlink(missing_ok=True)
    seal(part, meta)


def _reserve(job: Job) -> None:
    needed = len(job.source) * job.row_bytes
    have = job.file.stat().st_size if job.file.exists() else 0
    if needed - have > shutil.disk_usage(job.file.parent).free:
        raise OSError(f"it needs {needed / 1e9:,.1f} GB")
    with job.file.open("ab") as stream:
        stream.truncate(needed)


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


def _read(place: Path, meta: dict[str, Any], source: Source, size: int, channels: int) -> Cached | None:
    pixels, shape = place / "pixels.u8", (int(meta["rows"]), channels, size, size)
    if meta["version"] != VERSION or pixels.stat().st_size != np.prod(shape):
        return None
    if not (sound(place / "looks.npy", meta["looks"]) and sound(pixels, meta["pixels"])):
        return None
    looks = looks_in(place, len(source))
    return Cached(place, shape, looks, meta, source) if np.count_nonzero(looks["width"]) == shape[0] else None
