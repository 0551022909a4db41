"""Stacked MNIST: three digits as the colours of one picture, 1,000 modes that can be counted (Metz et al. 2017)."""

import copy
import hashlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.batch import Batch
from gantrain.data.cache.pictures import open_cache
from gantrain.data.module import GANDataModule
from gantrain.data.stream import hashed

COLOURS = 3


class StackedDigits(GANDataModule):
    """Batches `{real}` of `count` pictures (3, size, size): three grey pictures of the dataset each, drawn at random.

    Which three is a function of the picture's number alone, whatever the seed, so that all runs have the same data and
    nothing but the grey pictures is kept. `labels` (n, 3) are the classes of a picture's colours, where the dataset has
    classes.
    """

    usual_evaluation = "stacked"

    def __init__(self, *, count: int = 128_000, **base: Any):
        super().__init__(**base)
        check_whole(1, count=count)
        if self.channels != COLOURS:
            raise ValueError(f"channels is {self.channels}, it must be 3: a digit for each")
        if self.balance:
            raise ValueError(f"balance is {self.balance}, but all modes are equally likely; leave it 0")
        self.count = count
        self.digits: np.ndarray | None = None  # the grey pictures' classes

    def fill(self) -> None:
        self.source = self.opened()
        self.cached = open_cache(self.source, self.load_size, 1, self.cache_dir)
        self.digits, self.cached.labels = self.cached.labels, None  # a stacked picture has no class

    def __len__(self) -> int:
        return self.count

    @property
    def content(self) -> str:
        labels = b"" if self.digits is None else self.digits.tobytes()
        facts = repr((self.shape, self.count, self.cached.checksums)).encode()
        return hashlib.blake2b(facts + labels, digest_size=8).hexdigest()

    def parts(self, indices: np.ndarray) -> np.ndarray:
        """The grey pictures (n, 3) that stand for the colours of these pictures."""
        colours = COLOURS * indices[:, None] + np.arange(COLOURS)
        return (hashed(colours, 0) % np.uint64(len(self.cached.rows))).astype(np.int64)

    def stored(self, indices: np.ndarray, positions: np.ndarray) -> Batch:
        """These pictures as uint8."""
        parts = self.parts(indices)
        grey = torch.as_tensor(self.cached.take(parts.ravel()))
        return {"real": grey.reshape(len(indices), COLOURS, *grey.shape[2:])}

    @property
    def labels(self) -> np.ndarray | None:
        """The classes (n, 3) of the colours, or None."""
        return None if self.digits is None else self.digits[self.parts(np.arange(self.count))]

    def name(self, index: int) -> str:
        """The names of its three grey pictures."""
        rows = self.cached.rows[self.parts(np.array([index]))[0]]
        return ", ".join(self.source.name(int(row)) for row in rows)

    def grey(self) -> GANDataModule:
        """The pictures that are stacked, as data of their own with their classes."""
        data = GANDataModule(self.dataset, self.size, 1, self.batch_size, range=self.range)
        data.cache_dir, data.source, data.cached = self.cache_dir, self.source, copy.copy(self.cached)
        data.cached.labels = self.digits
        return data


def colours(pictures: Tensor) -> Tensor:
    """Stacked pictures (n, 3, h, w) as the grey ones (3n, 1, h, w) that they are of, those of a picture together."""
    return pictures.flatten(0, 1)[:, None]
