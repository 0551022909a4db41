"""Samples kept from training: which ones, and a source of only them or only the others."""

import hashlib
import re
from collections.abc import Callable

import numpy as np
from PIL import Image

from gantrain.data.cache.kept import Kept
from gantrain.data.source import Source, fingerprint_of
from gantrain.errors import UserError

# Photos of WIKI-crop and IMDB-crop, such as 00/nm0000001_rm124825600_1899-5-10_1968.jpg: who it is comes first.
PERSON = re.compile(r"(?:.*/)?(\d+|nm\d+)(?:_rm\d+)?_\d+-\d+-\d+_\d+\.\w+")


def divide(source: Source, holdout: float) -> tuple[np.ndarray, np.ndarray]:
    """The rows for training and the rows held out, both ascending. Raises UserError.

    `holdout` is a number or a share, which is one row at least.

    The names decide by their hashes: a picture that joins the folder moves at most one other to the other side, and the
    run's seed none. Samples of one `group` of the source stay on one side, and so do all photos of one person where
    names are those of WIKI or IMDB.
    """
    count = max(1, round(holdout * len(source))) if holdout < 1 else int(holdout)
    of_person = by_person(source)
    names = [source.group(i) or of_person(i) for i in range(len(source))]
    digests = [hashlib.blake2b(name.encode("utf-8", "surrogatepass")).digest() for name in names]
    order = np.array(sorted(range(len(source)), key=digests.__getitem__))
    while 0 < count < len(source) and digests[order[count]] == digests[order[count - 1]]:
        count += 1  # the whole group
    if not 0 < count < len(source):
        raise UserError(f"data.holdout: {holdout} of {len(source):,} leaves nothing on one side; it takes two at least")
    return np.sort(order[count:]), np.sort(order[:count])


def by_person(source: Source) -> Callable[[int], str]:
    """The name that decides for a sample: its own, or the first of all photos of the same person."""
    persons = [found[1] if (found := PERSON.fullmatch(name)) else name for name in source.names]
    first: dict[str, str] = {}
    for name, person in sorted(zip(source.names, persons, strict=True)):
        first.setdefault(person, name)
    return lambda i: first[persons[i]]


def copies(held: Kept, seen: Kept) -> np.ndarray:
    """The places in one cache of what lies in another one too, pixel by pixel."""
    known = set(seen.digests())
    return np.array([i for i, digest in enumerate(held.digests()) if digest in known], np.int64)


class Part(Source):
    """Some `rows` of another source."""

    def __init__(self, source: Source, rows: np.ndarray):
        self.source, self.rows = source, rows
        self.names = [source.names[row] for row in rows.tolist()]
        self.framing, self.class_names = source.framing, source.class_names
        self.dropped = source.dropped
        self.labels = None if source.labels is None else source.labels[rows]
        self.captions = None if source.captions is None else [source.captions[row] for row in rows.tolist()]
        self.embeddings = None if source.embeddings is None else source.embeddings[rows]
        self.fingerprint = fingerprint_of(source.fingerprint, more=rows.tobytes())

    def read(self, index: int) -> Image.Image:
        return self.source.read(int(self.rows[index]))
