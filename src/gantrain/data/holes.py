"""Pictures with holes: what is left of a picture, and the picture, for inpainting (Pathak et al. 2016)."""

import hashlib
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.batch import Batch
from gantrain.data.masks import Kind, holes
from gantrain.data.module import GANDataModule
from gantrain.data.pairs import beside
from gantrain.drawing.pictures import grid
from gantrain.rng import derive_seed


class Holes(GANDataModule):
    """Batches `{real, cond, label?}`: `real` (n, channels, size, size), `cond` (n, channels + 1, size, size).

    `cond` is the picture with its hole in the mean colour of what is left of it, in `range`, and a channel that is 1
    where pixels are missing, else 0. Which are, `hole` says: `centre`, `square` (its side from `sides`, by default a
    quarter to a half of the picture's), `strokes`, `half`, or `mixture` of all; each sample has its own, by its
    position in the training's order. Held-out pictures keep one hole each, whatever the seed. `label` (n,) are class
    numbers, with `classes`. The other options are GANDataModule's.
    """

    verbs = ("inpaint",)
    usual_evaluation = "holes"
    columns = "input, result, picture"
    caches = ("cached",)

    def __init__(
        self,
        *,
        hole: Kind,
        cond_channels: int,
        size: int,
        channels: Literal[1, 3],
        sides: list[int] | None = None,
        **base: Any,
    ):
        super().__init__(size=size, channels=channels, **base)
        check_whole(8, size=size)
        if cond_channels != channels + 1:
            raise ValueError(f"cond_channels is {cond_channels}, it must be channels + 1, {channels + 1}, for the mask")
        sides = [size // 4, size // 2] if sides is None else list(sides)
        if len(sides) != 2 or not 1 <= sides[0] <= sides[1] < size:
            raise ValueError(f"sides is {sides}, it must be [smallest, largest] in 1..{size - 1}")
        self.hole, self.cond_channels, self.sides = hole, cond_channels, (sides[0], sides[1])

    @property
    def widest(self) -> int:
        """The side of the largest square that holes of training take away."""
        return self.sides[1] if self.hole == "square" else self.size // 8 if self.hole == "strokes" else self.size // 2

    @property
    def content(self) -> str:
        return hashlib.blake2b(repr((super().content, self.hole, self.sides)).encode(), digest_size=8).hexdigest()

    def stored(self, indices: np.ndarray, positions: np.ndarray) -> Batch:
        seed = derive_seed(self.seed if self.part == "train" else 0, "hole")
        missing = holes(self.hole, positions, self.size, self.sides, seed)
        batch = {"real": torch.as_tensor(self.cached.take(indices)), "hole": torch.from_numpy(missing)}
        if self.classes:
            batch["label"] = torch.from_numpy(self.cached.labels[indices])
        return batch

    def normalise(self, batch: Batch) -> Batch:
        real = self.to_range(batch["real"], batch.get("flip"))
        labels = {key: batch[key] for key in ("label",) if key in batch}
        return {"real": real, "cond": hidden(real, batch["hole"]), **labels}

    def blank(self, n: int) -> Batch:
        return {**super().blank(n), "cond": torch.zeros(n, self.cond_channels, self.size, self.size)}

    def previews(self, n: int) -> Batch:
        """Pictures that training does not see, where some are held out."""
        return (self.held_out() if self.has_held_out else self).examples(n)

    def overview(self, batch: Batch) -> Tensor:
        return grid(beside(self.pictures(batch["cond"][:, :-1]), self.pictures(batch["real"])))

    def sheet(self, made: Tensor, batch: Batch, columns: int | None = None) -> Tensor:
        """Input, what is made of it, and the picture side by side."""
        return grid(beside(*(self.pictures(p.cpu()) for p in (batch["cond"][:, :-1], made, batch["real"]))), columns)


def hidden(pictures: Tensor, missing: Tensor) -> Tensor:
    """What is left of pictures (n, c, h, w) without the pixels `missing` (n, 1, h, w), as `cond` (n, c + 1, h, w).

    It is a function of known pixels alone.
    """
    mask = missing.to(pictures.dtype)
    known = 1 - mask
    left = torch.where(missing, 0, pictures)
    mean = left.sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp(min=1)
    return torch.cat([torch.where(missing, mean, pictures), mask], 1)


def pasted(made: Tensor, cond: Tensor) -> Tensor:
    """Pictures that were made (n, c, h, w) within the hole of `cond`, and what is known of them around it, exactly."""
    return torch.where(cond[:, -1:] > 0, made, cond[:, :-1])
