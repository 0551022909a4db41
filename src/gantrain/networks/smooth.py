"""Holes filled smoothly, from coarse to fine: where a network that fills holes can begin."""

import torch
import torch.nn.functional as F
from torch import Tensor

PASSES = 4  # over the missing pixels of each scale


def smoothed(cond: Tensor) -> Tensor:
    """The pictures (n, c, size, size) of `cond` (n, c + 1, size, size), filled where its last channel is 1.

    It is near the surface that is as flat as the border of the hole allows: at each scale missing pixels begin as those
    of half the size, then become the mean of their four neighbours, `PASSES` times. `size` is a power of two.
    """
    return _at_scale(cond[:, :-1], 1 - cond[:, -1:])


def _at_scale(pictures: Tensor, known: Tensor) -> Tensor:
    if pictures.shape[-1] == 1:
        return pictures
    share = F.avg_pool2d(known, 2)
    coarse = F.avg_pool2d(pictures * known, 2) / share.clamp(min=1e-6)  # the mean of the known ones
    coarse = _at_scale(coarse, (share > 0).to(known.dtype))
    there = known > 0
    filled = torch.where(there, pictures, F.interpolate(coarse, scale_factor=2.0, mode="bilinear"))
    for _ in range(PASSES):
        up, down, left, right = _neighbours(filled)
        filled = torch.where(there, pictures, (up + down + left + right) / 4)
    return filled


def _neighbours(pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    padded = F.pad(pictures, (1, 1, 1, 1), mode="replicate")
    return padded[..., :-2, 1:-1], padded[..., 2:, 1:-1], padded[..., 1:-1, :-2], padded[..., 1:-1, 2:]
