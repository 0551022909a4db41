"""Pairs of a picture and its smaller self, for super-resolution."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gantrain.data.batch import Batch
from gantrain.data.module import GANDataModule
from gantrain.drawing.pictures import to_uint8


class LowHigh(GANDataModule):
    """Batches `{real, cond}`: `real` (n, channels, size, size), `cond` the same `scale` times smaller, both in `range`.

    The low pictures are made of the high ones, flipped or not, by bicubic interpolation with antialiasing, and rounded
    to 8 bits as a file would be. The other options are GANDataModule's.
    """

    verbs = ("upscale",)
    usual_evaluation = "super_resolution"
    previews_unseen = True

    def __init__(self, *, scale: Literal[2, 4, 8], size: int, **base: Any):
        super().__init__(size=size, **base)
        if size % scale:
            raise ValueError(f"size is {size}, it must be a multiple of the scale, {scale}")
        self.scale = scale

    def normalise(self, batch: Batch) -> Batch:
        real = self.to_range(batch["real"], batch.get("flip"))
        return {"real": real, "cond": self.to_range(smaller(to_uint8(real, self.range), self.scale))}

    def blank(self, n: int) -> Batch:
        side = self.size // self.scale
        return {**super().blank(n), "cond": torch.zeros(n, self.channels, side, side)}

    def wholes(self) -> Iterator[tuple[str, Tensor]]:
        """Every high picture by its name, as uint8 (channels, height, width), for scores and the like."""
        for i, row in enumerate(self.cached.rows):
            yield self.source.name(int(row)), torch.tensor(self.cached.take(np.array([i]))[0])

    def sheet(self, made: Tensor, batch: Batch, columns: int | None = None) -> Tensor:
        from gantrain.drawing.close_ups import compare  # fonts and drawing, only where there is something to draw

        low, ours, truth = (self.pictures(part.cpu()) for part in (batch["cond"], made, batch["real"]))
        return compare({"low": low, "bicubic": larger(low, self.scale), "ours": ours, "truth": truth})


def smaller(pixels: Tensor, scale: int) -> Tensor:
    """Pictures (n, c, h, w) uint8 reduced `scale` times, bicubic with antialiasing (Pillow's kernel), rounded."""
    return _resized(pixels, 1 / scale)


def larger(pixels: Tensor, scale: int) -> Tensor:
    """Pictures (n, c, h, w) uint8 enlarged `scale` times, bicubic (Pillow's kernel), rounded: what to beat."""
    return _resized(pixels, scale)


def _resized(pixels: Tensor, factor: float) -> Tensor:
    size = [round(side * factor) for side in pixels.shape[-2:]]
    resized = F.interpolate(pixels.float(), size, mode="bicubic", antialias=True)
    return resized.round_().clamp_(0, 255).to(torch.uint8)
