"""Photos of any size: random crops to train on, whole ones to measure with."""

import hashlib

import numpy as np
import torch

from gantrain.data.batch import Batch
from gantrain.data.cache.photos import open_photos
from gantrain.data.jitter import corners
from gantrain.data.low_high import LowHigh


class PhotoCrops(LowHigh):
    """Batches `{real, cond}` of random `size` x `size` crops of photos, and the same `scale` times smaller.

    Each photo comes equally often, whatever its size; an epoch is about as many crops as cover the photos. Photos
    smaller than a crop are an error unless `upsize` enlarges them to one. Nothing is squashed or cut: `dataset.crop`
    does not matter here.
    """

    def fill(self) -> None:
        self.source = self.opened()
        self.cached = open_photos(
            self.source, self.channels, self.size if self.upsize or self.source.framing is None else 1, self.cache_dir
        )
        # The photos' numbers, each as often as its turn comes in an epoch.
        count, side_by_side = len(self.cached), (self.cached.sides // self.size).prod(1).sum()
        self.turns = np.tile(np.arange(count), max(1, round(side_by_side / max(1, count))))

    def __len__(self) -> int:
        return len(self.turns)

    @property
    def variety(self) -> int:
        return int((self.cached.sides - self.size + 1).prod(1).sum())

    @property
    def content(self) -> str:
        facts = (self.channels, self.cached.sides.tolist(), self.cached.checksums)
        return hashlib.blake2b(repr(facts).encode(), digest_size=8).hexdigest()

    def stored(self, indices: np.ndarray, positions: np.ndarray) -> Batch:
        """A crop of each turn's photo."""
        photos, size = self.turns[indices], self.size
        places = corners(positions, self.cached.sides[photos] - size + 1, self.seed)
        crops = [self.cached[i][y : y + size, x : x + size] for i, (y, x) in zip(photos, places, strict=True)]
        return {"real": torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).contiguous()}

    def name(self, index: int) -> str:
        """The photo that the turn is of."""
        return self.source.name(int(self.cached.rows[self.turns[index]]))

    @property
    def labels(self) -> np.ndarray | None:
        labels = self.source.labels
        return None if labels is None else labels[self.cached.rows][self.turns].astype(np.int64)
