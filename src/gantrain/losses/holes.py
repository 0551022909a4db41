"""Distances between made pictures and their targets, inside the hole only."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from gantrain.checks import check_whole


class HoleDistance:
    """`weight` times the mean of a `distance` of pixels, which a subclass gives, over each picture's hole, in float32.

    Pixels of the hole that lie within `border` pixels of known ones count `border_weight` times in that mean, against
    seams (Pathak et al. 2016 weigh an overlap of 7 pixels ten times).
    """

    name: str
    distance: Callable[..., Tensor]

    def __init__(self, weight: float = 1.0, border: int = 0, border_weight: float = 10.0):
        check_whole(0, border=border)
        self.weight, self.border, self.border_weight = weight, border, border_weight

    def __call__(self, made: Tensor, wanted: Tensor, missing: Tensor) -> Tensor:
        """`missing` (n, 1, h, w) is 1 in the hole and 0 around it."""
        missing = missing.float()
        weights = missing
        if self.border:
            reach = 2 * self.border + 1
            near = F.max_pool2d(1 - missing, reach, 1, self.border)
            weights = missing * torch.where(near > 0, self.border_weight, 1.0)
        apart = self.distance(made.float(), wanted.float(), reduction="none").mean(1, keepdim=True)
        return self.weight * ((weights * apart).sum((1, 2, 3)) / weights.sum((1, 2, 3))).mean()


class HoleL1(HoleDistance):
    """The mean absolute difference inside the hole."""

    name = "l1 in the hole"
    distance = staticmethod(F.l1_loss)


class HoleMSE(HoleDistance):
    """The mean squared difference inside the hole (Pathak et al. 2016, equation 1)."""

    name = "mse in the hole"
    distance = staticmethod(F.mse_loss)
