"""A source decoded chunk by chunk into one file, on several cores; what is done is never held in memory.

The processes that decode import this module: it must stay free of torch.
"""

import contextlib
import json
import multiprocessing
import os
import signal
import threading
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from multiprocessing import connection
from pathlib import Path

import numpy as np

from gantrain.data.formats.decode import DAMAGED_PICTURE, REFUSED, Look, Unreadable, guarded, to_array
from gantrain.data.source import Source
from gantrain.errors import UserError

CHUNK_BYTES = 4 << 20
CHUNK_ROWS = 256
POOL_FROM = 1000  # below this many files, starting processes costs more than it saves
MOST_PROCESSES = 16  # beyond them the disk is the limit
AT_ONCE = 128_000_000  # pixels that all processes together may be decoding: some gigabytes of memory
PROBED = 16  # pictures that tell how large they are


@dataclass(frozen=True)
class Job:
    """A source, and the file of (n, channels, size, size) uint8 rows that it goes into, `rows` at a time."""

    source: Source
    size: int
    channels: int
    file: Path
    rows: int

    @property
    def row_bytes(self) -> int:
        return self.channels * self.size**2

    @property
    def chunks(self) -> range:
        return range(-(-len(self.source) // self.rows))

    def span(self, chunk: int) -> range:
        return range(chunk * self.rows, min((chunk + 1) * self.rows, len(self.source)))


@dataclass(frozen=True)
class Done:
    """A chunk that is in the file: the checksum of its bytes, and the look of each picture or why it is unreadable."""

    chunk: int
    crc32: int
    looks: list[Look | str]


class Journal:
    """The finished chunks of an interrupted build, one line of JSON each, believed where its bytes are there."""

    def __init__(self, file: Path, job: Job):
        self.file, self.job = file, job

    def read(self) -> list[Done]:
        found: dict[int, Done] = {}
        with contextlib.suppress(FileNotFoundError), self.job.file.open("rb") as pixels:
            for line in self.file.read_text(encoding="utf-8", errors="replace").splitlines():
                with contextlib.suppress(ValueError, TypeError, LookupError):  # a line that was cut off in the middle
                    node = json.loads(line)
                    looks = [look if isinstance(look, str) else tuple(look) for look in node["looks"]]
                    done = Done(node["chunk"], node["crc32"], looks)
                    if done.chunk in self.job.chunks and self._holds(done, pixels):
                        found[done.chunk] = done
        return list(found.values())

    def add(self, done: Done) -> None:
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write("\n" + json.dumps(asdict(done)))  # on a line of its own, also after one that was cut off

    def _holds(self, done: Done, pixels) -> bool:
        span = self.job.span(done.chunk)
        pixels.seek(span.start * self.job.row_bytes)
        data = pixels.read(len(span) * self.job.row_bytes)
        refused = any(isinstance(look, str) and look.startswith(REFUSED) for look in done.looks)
        return not refused and len(done.looks) == len(span) and zlib.crc32(data) == done.crc32


def chunk_rows(row_bytes: int) -> int:
    """Pictures per chunk, which is what one process holds at a time."""
    return max(1, min(CHUNK_ROWS, CHUNK_BYTES // row_bytes))


def fill(job: Job, chunks: Iterable[int], processes: int) -> Iterator[Done]:
    """Decode `chunks` into the job's file; gives each as it is finished.

    Raises OSError where the file cannot be written and UserError where a decoding process dies.
    """
    return _in_processes(job, chunks, processes) if processes > 1 else (fill_chunk(job, chunk) for chunk in chunks)


def fill_chunk(job: Job, chunk: int) -> Done:
    span = job.span(chunk)
    pixels = np.zeros((len(span), job.channels, job.size, job.size), np.uint8)
    looks: list[Look | str] = []
    for row, index in enumerate(span):
        try:
            with guarded(), job.source.read(index) as picture:
                look: Look | str = (*picture.size, picture.mode)
                pixels[row] = to_array(picture, job.size, job.channels, job.source.framing)
        except Unreadable as error:
            look = str(error)
        looks.append(look)
    data = pixels.tobytes()
    with job.file.open("r+b") as stream:
        stream.seek(span.start * job.row_bytes)
        stream.write(data)
    return Done(chunk, zlib.crc32(data), looks)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processes_for(source: Source) -> int:
    """How many processes decode it; arrays need none, they are cheaper to decode than to send."""
    if source.framing is None or len(source) < POOL_FROM:
        return 1
    largest = 1  # of a few pictures, by their headers
    for i in range(PROBED):
        with contextlib.suppress(*DAMAGED_PICTURE), source.read(i * len(source) // PROBED) as picture:
            largest = max(largest, picture.width * picture.height)
    return max(1, min(cores(), MOST_PROCESSES, AT_ONCE // largest))


def _in_processes(job: Job, chunks: Iterable[int], processes: int) -> Iterator[Done]:
    # Spawned, not forked: torch's threads may hold locks that a fork would leave locked for ever.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, _begin, (job,))
    try:
        for future in as_completed({pool.submit(_next, chunk) for chunk in chunks}):
            yield future.result()
    except BrokenProcessPool as error:
        raise UserError(
            "data: a process that decodes pictures died; it may have run out of memory, or a script calls this without "
            "`if __name__ == '__main__':`. Start again to go on where it stopped"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


_job: Job | None = None  # each decoding process has one


def _begin(job: Job) -> None:
    global _job
    _job = job
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process in order
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """The pool's processes would wait for ever for a parent that was killed."""
    connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _next(chunk: int) -> Done:
    return fill_chunk(_job, chunk)
