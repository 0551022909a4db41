"""Aligned pairs of a condition and its target, for picture to picture."""

import hashlib
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gantrain.data.batch import Batch
from gantrain.data.cache.pictures import Cached, open_cache
from gantrain.data.conditions import Condition, Edges, Half, condition_of, half
from gantrain.data.jitter import check_load_size, crops, middle
from gantrain.data.module import GANDataModule
from gantrain.data.paired_folders import PairedFolders
from gantrain.data.source import Source
from gantrain.drawing.pictures import grid
from gantrain.errors import UserError


class Pairs(GANDataModule):
    """Batches `{real, cond}`: `real` (n, channels, size, size), `cond` (n, cond_channels, size, size), in `range`.

    `condition` is what the target is made from: `beside`, files that hold two pictures side by side, of which
    `direction: a_to_b` makes the right from the left; `grey` or `edges` of the picture itself, in one channel.
    Training's pictures are kept at `load_size` (null: size) and cut to `size` at random, condition and target at the
    same place, and both flipped alike; held-out ones are whole. The other options are GANDataModule's.
    """

    verbs = ("translate",)
    usual_evaluation = "pairs"
    columns = "input, result, target"
    caches = ("cached", "conditions")

    def __init__(
        self,
        *,
        condition: Condition,
        cond_channels: Literal[1, 3],
        size: int,
        direction: Literal["a_to_b", "b_to_a"] = "a_to_b",
        load_size: int | None = None,
        **base: Any,
    ):
        super().__init__(size=size, **base)
        if condition != "beside" and direction != "a_to_b":
            raise ValueError(f"direction is {direction!r}, but {condition} has no sides; leave it out")
        if condition != "beside" and cond_channels != 1:
            raise ValueError(f"cond_channels is {cond_channels}, but {condition} has 1")
        self.condition, self.cond_channels, self.direction = condition, cond_channels, direction
        self.load_size = check_load_size(load_size, size)
        self.conditions: Cached | None = None

    def fill(self) -> None:
        self.source = self.opened()
        cond, real = self.sides()
        self.cached = open_cache(real, self.load_size, self.channels, self.cache_dir)
        self.conditions = open_cache(cond, self.load_size, self.cond_channels, self.cache_dir)
        if not np.array_equal(self.cached.rows, self.conditions.rows):
            raise UserError("data.root: some files could be read only once; look after that disk and start again")

    def sides(self) -> tuple[Source, Source]:
        """The sources of the conditions and of the targets."""
        if self.condition == "beside":
            left, right = Half(self.source, "left"), Half(self.source, "right")
            return (left, right) if self.direction == "a_to_b" else (right, left)
        return Edges(self.source, self.load_size) if self.condition == "edges" else self.source, self.source

    @property
    def content(self) -> str:
        pixels = repr((self.shape, self.cached.checksums, self.conditions.checksums))
        return hashlib.blake2b(pixels.encode(), digest_size=8).hexdigest()

    def stored(self, indices: np.ndarray, positions: np.ndarray) -> Batch:
        kept = {"real": self.cached.take(indices), "cond": self.conditions.take(indices)}
        return {key: torch.as_tensor(crops(kept[key], positions, self.size, self.seed)) for key in kept}

    def take(self, indices: np.ndarray) -> Batch:
        """These pairs, from the middle of what is kept."""
        kept = {"real": self.cached.take(indices), "cond": self.conditions.take(indices)}
        return self.normalise({key: torch.from_numpy(middle(kept[key], self.size)) for key in kept})

    def normalise(self, batch: Batch) -> Batch:
        return {key: self.to_range(batch[key], batch.get("flip")) for key in ("real", "cond")}

    def blank(self, n: int) -> Batch:
        return {**super().blank(n), "cond": torch.zeros(n, self.cond_channels, self.size, self.size)}

    def half_of(self, picture: Image.Image) -> Image.Image:
        """The half of a file of two squares that the generator gets in training; any other picture as it is."""
        width, height = picture.size
        in_files = self.condition == "beside" and not isinstance(self.dataset, PairedFolders)
        if not in_files or abs(width - 2 * height) > 1:
            return picture
        return half(picture, "left" if self.direction == "a_to_b" else "right")

    def condition_of(self, picture: Image.Image, drawn: bool = False) -> Tensor:
        """What the generator gets of a user's picture, or as it is where it is `drawn`: (cond_channels, h, w)."""
        pixels = condition_of(picture, "beside" if drawn else self.condition, self.cond_channels)
        return self.to_range(torch.from_numpy(pixels))

    def previews(self, n: int) -> Batch:
        """Pairs that training does not see, where some are held out."""
        return (self.held_out() if self.has_held_out else self).examples(n)

    def overview(self, batch: Batch) -> Tensor:
        return grid(beside(self.pictures(batch["cond"]), self.pictures(batch["real"])))

    def sheet(self, made: Tensor, batch: Batch, columns: int | None = None) -> Tensor:
        """Input, what is made of it, and the target side by side."""
        return grid(beside(*(self.pictures(part.cpu()) for part in (batch["cond"], made, batch["real"]))), columns)


def beside(*pictures: Tensor) -> Tensor:
    """Pictures (n, 1 or 3, h, w) uint8 of several kinds side by side, (n, c, h, w together)."""
    channels = max(part.shape[1] for part in pictures)
    return torch.cat([part.expand(-1, channels, -1, -1) for part in pictures], 3)
