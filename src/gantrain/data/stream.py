"""The endless order of samples: a stateless function of seed and position, so that resuming needs only a count."""

import functools
from collections.abc import Iterator

import numpy as np

from gantrain.rng import derive_seed


class IndexStream:
    """Positions 0, 1, 2, ... to sample indices: each epoch is a permutation drawn from (seed, epoch).

    A batch may straddle two epochs; nothing is dropped. With `shares` (n,), which sum to 1, a sample occurs
    `count * share` times in an epoch, rounded up or down at random.
    """

    def __init__(self, count: int, seed: int, shares: np.ndarray | None = None):
        self.count, self.seed, self.shares = count, seed, shares
        self.permutation = functools.lru_cache(2)(self._permutation)  # a batch may straddle two epochs

    def _permutation(self, epoch: int) -> np.ndarray:
        generator = np.random.default_rng(derive_seed(self.seed, "epoch", epoch))
        members = np.arange(self.count)
        if self.shares is not None:
            # Systematic sampling: a comb of equally spaced teeth over the samples' shares laid end to end.
            teeth = (members + generator.random()) / self.count
            members = np.searchsorted(np.cumsum(self.shares)[:-1], teeth, side="right")
        return generator.permutation(members)

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        epochs, offsets = np.divmod(positions, self.count)
        indices = np.empty_like(positions)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            indices[here] = self.permutation(int(epoch))[offsets[here]]
        return indices


def balanced(labels: np.ndarray, balance: float) -> np.ndarray:
    """The share (n,) of each sample in an epoch: from classes as they occur (0) to all classes equally often (1)."""
    counts = np.bincount(labels)
    shares = (1.0 / counts[labels]) ** balance
    return shares / shares.sum()


class Batches:
    """Endless batches of positions for one process, from `start` (images seen by all processes) on.

    Of every w consecutive batches rank r of w takes the r-th. Together the processes see what one process with a w
    times larger batch would see. It has no length on purpose: the training loop counts itself.
    """

    def __init__(self, batch_size: int, start: int, rank: int = 0, world: int = 1):
        self.batch_size, self.start, self.rank, self.world = batch_size, start, rank, world

    def __iter__(self) -> Iterator[np.ndarray]:
        first = self.start + self.rank * self.batch_size
        while True:
            yield np.arange(first, first + self.batch_size)
            first += self.batch_size * self.world


def coin(positions: np.ndarray, seed: int) -> np.ndarray:
    """A fair coin for every position."""
    return (hashed(positions, seed) & np.uint64(1)).astype(bool)


def uniform(positions: np.ndarray, seed: int) -> np.ndarray:
    """A number in [0, 1) for every position."""
    return (hashed(positions, seed) >> np.uint64(11)) * 2.0**-53


def hashed(positions: np.ndarray, seed: int) -> np.ndarray:
    """64 random bits for every position (the finaliser of splitmix64, Steele et al. 2014)."""
    x = positions.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
