"""Samples kept from training: which ones, and a source of only them or only the others."""

import hashlib

import numpy as np
from PIL import Image

from gantrain.data.source import Source, dropped_by
from gantrain.errors import UserError


def divide(source: Source, holdout: float) -> tuple[np.ndarray, np.ndarray]:
    """The rows for training and the rows held out, both ascending. Raises UserError.

    `holdout` is a number or a share, which is one row at least.

    The names decide by their hashes: a picture that joins the folder moves at most one other to the other side, and the
    run's seed none. Where a source has a `group(index)`, samples of one group stay on one side.
    """
    count = max(1, round(holdout * len(source))) if holdout < 1 else int(holdout)
    name = getattr(source, "group", source.name)
    digests = [hashlib.blake2b(name(i).encode("utf-8", "surrogatepass")).digest() for i in range(len(source))]
    order = np.array(sorted(range(len(source)), key=digests.__getitem__))
    while 0 < count < len(source) and digests[order[count]] == digests[order[count - 1]]:
        count += 1  # the whole group
    if not 0 < count < len(source):
        raise UserError(f"data.holdout: {holdout} of {len(source):,} leaves nothing on one side; it takes two at least")
    return np.sort(order[count:]), np.sort(order[:count])


class Part(Source):
    """Some `rows` of another source."""

    def __init__(self, source: Source, rows: np.ndarray):
        self.source, self.rows = source, rows
        self.names = [*map(source.name, rows.tolist())]
        self.framing, self.class_names = source.framing, source.class_names
        self.dropped = dropped_by(source)
        self.labels = None if source.labels is None else source.labels[rows]
        self.fingerprint = hashlib.blake2b(source.fingerprint.encode() + rows.tobytes(), digest_size=16).hexdigest()

    def read(self, index: int) -> Image.Image:
        return self.source.read(int(self.rows[index]))
