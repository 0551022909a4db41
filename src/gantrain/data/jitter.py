"""Random crops of pictures that are kept a little larger: resize to 286, cut 256 (Isola et al. 2017, section 6.2)."""

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.stream import uniform
from gantrain.rng import derive_seed

Pixels = TypeVar("Pixels", np.ndarray, Tensor)  # the samples of a cache, or the same on a device


def crops(pixels: Pixels, positions: np.ndarray, size: int, seed: int) -> Pixels:
    """Squares (n, c, size, size) of pictures (n, c, side, side) at places that a hash of their positions draws."""
    free = pixels.shape[-1] - size + 1
    if free == 1:
        return pixels
    places = corners(positions, free, seed)
    cut = [picture[:, y : y + size, x : x + size] for picture, (y, x) in zip(pixels, places.tolist(), strict=True)]
    return torch.stack(cut) if isinstance(pixels, Tensor) else np.stack(cut)


def middle(pixels: np.ndarray, size: int) -> np.ndarray:
    """The squares (n, c, size, size) in the middle of pictures (n, c, side, side): a view."""
    start = (pixels.shape[-1] - size) // 2
    return pixels[..., start : start + size, start : start + size]


def corners(positions: np.ndarray, free: int | np.ndarray, seed: int) -> np.ndarray:
    """Tops and lefts (n, 2) that a hash of the positions draws, each from so many `free` ones."""
    draws = [uniform(positions, derive_seed(seed, axis)) for axis in ("top", "left")]
    return np.floor(np.stack(draws, 1) * free).astype(int)


def check_load_size(load_size: int | None, size: int) -> int:
    """The side at which pictures are kept. Raises ValueError."""
    check_whole(size, load_size=load_size)
    return load_size or size
