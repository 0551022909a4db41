"""Pictures decoded and resized once: a memory-mapped uint8 array on disk, found again by its content's key.

A cache is a folder `<key>`: `pixels.u8` (rows), `looks.npy` (how each file looked), `meta.json` (checksums, reasons).
The key covers the source's fingerprint, the size, the channels and the framing, so a changed source is another cache;
whatever lies in the folder of caches may be deleted at any time. Every start compares the lengths of the files and the
checksums of all blocks of a small cache (up to 256 MB), or of the last and 32 others, drawn anew, of a large one.

While a cache is built it is `.<key>.part`, with a journal of its finished chunks; an interrupted build goes on from it.
One process builds, others that want the same cache wait for it at `.<key>.lock`.
"""

import json
import mmap
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from gantrain.data.cache.fill import Done, Job, Journal, chunk_rows, fill, processes_for
from gantrain.data.cache.kept import checksums, clear, kept, sound
from gantrain.data.cache.progress import Progress
from gantrain.data.source import Source

VERSION = 2  # raise it when the same source would give other bytes
LOOK = np.dtype([("width", "<u4"), ("height", "<u4"), ("mode", "S8")])
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
