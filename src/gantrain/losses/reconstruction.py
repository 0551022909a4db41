"""Distances between pictures and what they should have been, pixel by pixel."""

import torch.nn.functional as F
from torch import Tensor

from gantrain.checks import check_number


class PixelMSE:
    """`weight` times the mean squared difference: the highest PSNR, and the smoothest pictures."""

    name = "pixel mse"

    def __init__(self, weight: float = 1.0):
        check_number(weight=weight)
        self.weight = weight

    def __call__(self, made: Tensor, real: Tensor) -> Tensor:
        return self.weight * F.mse_loss(made.float(), real.float())


class PixelL1:
    """`weight` times the mean absolute difference (Isola et al. 2017, equation 3)."""

    name = "pixel l1"

    def __init__(self, weight: float = 1.0):
        check_number(weight=weight)
        self.weight = weight

    def __call__(self, made: Tensor, real: Tensor) -> Tensor:
        return self.weight * F.l1_loss(made.float(), real.float())
