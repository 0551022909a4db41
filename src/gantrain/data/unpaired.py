"""Pictures of two kinds that do not belong together one by one, for CycleGAN."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from gantrain.data.batch import SIDES, Batch
from gantrain.data.jitter import check_load_size, crops, middle
from gantrain.data.module import GANDataModule
from gantrain.data.pairs import beside
from gantrain.data.stream import Batches, IndexStream, coin
from gantrain.drawing.pictures import grid
from gantrain.errors import UserError
from gantrain.rng import derive_seed


class Unpaired(GANDataModule):
    """Batches `{a, b}`, each (n, channels, size, size) in `range`: the pictures of class 0 and those of class 1.

    Each side is shuffled, cut and flipped by itself; an epoch is as long as the longer side. Training's pictures are
    kept at `load_size` (null: size) and cut to `size` at random; held-out ones are whole. The other options are
    GANDataModule's; `classes` is 2.
    """

    verbs = ("translate",)
    usual_evaluation = "unpaired"
    columns = "a, what it becomes, b, what it becomes"
    previews_unseen = True
    caches = ("cached",)

    def __init__(self, *, size: int, load_size: int | None = None, classes: Literal[2] = 2, **base: Any):
        super().__init__(size=size, classes=classes, **base)
        if self.balance:
            raise ValueError(f"balance is {self.balance}, but both kinds come equally often anyway; leave it 0")
        self.load_size = check_load_size(load_size, size)

    def fill(self) -> None:
        super().fill()
        # The pictures of each side, by their numbers in the cache.
        self.members = {side: np.flatnonzero(self.cached.labels == label) for label, side in enumerate(SIDES)}

    def check(self) -> None:
        super().check()
        for side, members in self.members.items():
            if not len(members):
                raise UserError(f"data.root: no picture is left of side {side}; look after its folder, or data.holdout")

    def __len__(self) -> int:
        return max(map(len, self.members.values()))

    @property
    def variety(self) -> int:
        return min(map(len, self.members.values()))

    def first_of(self, side: str, count: int | None = None) -> Tensor:
        """The first `count` pictures of a side, or all, in `range`, from the middle of what is kept."""
        kept = self.cached.take(self.members[side][:count])
        return self.to_range(torch.from_numpy(np.ascontiguousarray(middle(kept, self.size))))

    def loader(self, batches: Batches) -> Iterator[Batch]:
        """Batches of both sides, each in an endless order of its own."""
        seeds = {side: derive_seed(self.seed, side) for side in SIDES}
        orders = {side: IndexStream(len(self.members[side]), seeds[side]) for side in SIDES}
        for positions in batches:
            batch = {}
            for side, seed in seeds.items():
                pixels = self.cached.take(self.members[side][orders[side](positions)])
                batch[side] = torch.as_tensor(crops(pixels, positions, self.size, seed))
                if self.flip:
                    batch[f"flip_{side}"] = torch.from_numpy(coin(positions, derive_seed(seed, "flip")))
            yield batch

    def normalise(self, batch: Batch) -> Batch:
        return {side: self.to_range(batch[side], batch.get(f"flip_{side}")) for side in SIDES}

    def blank(self, n: int) -> Batch:
        return {side: torch.zeros(n, *self.shape) for side in SIDES}

    def overview(self, batch: Batch) -> Tensor:
        """A picture of each side, side by side."""
        return grid(beside(*(self.pictures(batch[side]) for side in SIDES)))

    def sheet(self, made: Tensor, batch: Batch, columns: int | None = None) -> Tensor:
        """A picture of a, what it becomes, a picture of b, what it becomes."""
        to_b, to_a = made.split(len(batch["a"]))
        return grid(beside(*(self.pictures(part.cpu()) for part in (batch["a"], to_b, batch["b"], to_a))), columns)
