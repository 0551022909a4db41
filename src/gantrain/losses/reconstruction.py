"""Distances between made samples and their targets."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor


class Distance:
    """`weight` times a `distance`, which a subclass gives, in float32."""

    name: str
    distance: Callable[..., Tensor]

    def __init__(self, weight: float = 1.0):
        self.weight = weight

    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        return self.weight * self.distance(made.float(), wanted.float())


class PixelMSE(Distance):
    """`weight` times the mean squared difference: the highest PSNR, and the smoothest pictures."""

    name = "pixel mse"
    distance = staticmethod(F.mse_loss)


class PixelL1(Distance):
    """`weight` times the mean absolute difference (Isola et al. 2017, equation 3)."""

    name = "pixel l1"
    distance = staticmethod(F.l1_loss)
