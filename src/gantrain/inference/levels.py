"""Pixels of 8 or 16 bits, grey or in colour, to the values of a network and back."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gantrain.data.formats.decode import Framing


@dataclass(frozen=True)
class Levels:
    """A picture's pixels of `dtype` as a network's values: its `black` is their `low`, and its `white` their `high`."""

    black: int
    white: int
    low: float
    high: float
    dtype: np.dtype

    @classmethod
    def of(cls, pixels: np.ndarray, framing: Framing, range: tuple[float, float]) -> "Levels":
        """Those of uint8 pixels, or those that the framing has for uint16."""
        black, white = framing.levels if pixels.dtype == np.uint16 else (0, 255)
        return cls(black, white, *range, pixels.dtype)

    def to_planes(self, pixels: np.ndarray) -> Tensor:
        """Pixels (h, w) or (h, w, 3) to planes (1 or 3, h, w), from `low` to `high`."""
        values = torch.from_numpy(pixels.astype(np.float32).clip(self.black, self.white) - self.black)
        values.mul_((self.high - self.low) / (self.white - self.black)).add_(self.low)
        return values[None] if values.dim() == 2 else values.permute(2, 0, 1)

    def to_pixels(self, planes: Tensor) -> np.ndarray:
        """Planes (c, h, w), which are overwritten, to pixels of the same shape, rounded and clamped."""
        values = planes.sub_(self.low).mul_((self.white - self.black) / (self.high - self.low)).add_(self.black)
        return values.round_().clamp_(self.black, self.white).numpy().astype(self.dtype)


def batch_of(planes: Tensor, channels: int) -> Tensor:
    """Planes (1 or 3, h, w) as a batch (n, channels, h, w): a network of grey pictures gets each colour as its own."""
    return planes[:, None] if channels == 1 else planes[None].expand(-1, 3, -1, -1)


def planes_of(made: Tensor, count: int) -> Tensor:
    """What a network made of `batch_of` as many planes, (n, channels, h, w), as planes (count, h, w)."""
    return made.mean(1) if count == 1 else made.flatten(0, 1)
