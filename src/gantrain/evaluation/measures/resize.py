"""The filters by which papers resize pictures for a backbone; FID differs by several points between them."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

FILTERS = ("tf1", "antialias", "clean")


def resize(pictures: Tensor, side: int, how: str) -> Tensor:
    """Pictures (n, c, h, w) uint8 to float (n, c, side, side) in 0..255, not rounded.

    `tf1`: bilinear as TensorFlow 1 had it, corners aligned at the top left, no antialiasing (the original FID code).
    `antialias`: bilinear over a support that grows with the reduction (torchvision's). `clean`: Pillow's bicubic on
    floats, the filter of clean-FID (Parmar et al. 2022, arXiv 2104.11222), clipped to the range. Its numbers are not
    clean-FID's where they are rounded again, as `resized_bytes` does.
    """
    if how not in FILTERS:
        raise ValueError(f"resize is '{how}', it must be one of {', '.join(FILTERS)}")
    if pictures.shape[2:] == (side, side):
        return pictures.float()
    if how == "antialias":
        return functional.interpolate(pictures.float(), (side, side), mode="bilinear", antialias=True)
    if how == "tf1":
        return _between(_between(pictures.float(), side, 2), side, 3)
    return _clean(pictures, side)


def resized_bytes(pictures: Tensor, side: int, how: str) -> Tensor:
    """What `resize` gives, rounded to uint8."""
    return resize(pictures, side, how).round().clamp(0, 255).to(torch.uint8)


def _between(pictures: Tensor, side: int, axis: int) -> Tensor:
    length = pictures.shape[axis]
    at = torch.arange(side, dtype=torch.float32, device=pictures.device) * (length / side)
    low = at.long()
    high = (low + 1).clamp_max(length - 1)
    shape = [side if i == axis else 1 for i in range(4)]
    weight = (at - low).view(shape)
    first, second = pictures.index_select(axis, low), pictures.index_select(axis, high)
    return first + (second - first) * weight


def _clean(pictures: Tensor, side: int) -> Tensor:
    planes = pictures.flatten(0, 1).cpu().numpy().astype(np.float32)
    resized = [np.asarray(Image.fromarray(p).resize((side, side), Image.Resampling.BICUBIC)) for p in planes]
    stacked = torch.from_numpy(np.stack(resized)).clamp_(0, 255)
    return stacked.view(*pictures.shape[:2], side, side).to(pictures.device)
