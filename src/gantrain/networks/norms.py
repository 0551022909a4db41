"""Normalisation: of a convolution's maps, by its name or with a gain and bias of each class, and of single vectors."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Norm = Literal["batch", "instance", "none"]


def norm_layers(norm: Norm, channels: int) -> list[nn.Module]:
    """The layer, if any.

    With one picture a batch, batch norm trains by the statistics of instance norm (Ulyanov et al. 2016), but is used
    with running means, as another network. Instance norm does the same in training and in use, and has no weights of
    its own, which batch norm has. A convolution before a norm needs no bias, which the norm would take away again.
    """
    if norm == "none":
        return []
    return [nn.BatchNorm2d(channels) if norm == "batch" else nn.InstanceNorm2d(channels)]


class ConditionalBatchNorm2d(nn.Module):
    """Batch norm whose gain and bias are the class's own (de Vries et al. 2017, arXiv 1707.00683, as in SNGAN).

    The statistics are those of all classes together, so one class alone in a batch is fine. Without `classes` it is
    batch norm as usual.
    """

    def __init__(self, channels: int, classes: int | None = None):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=classes is None)
        self.table = None
        if classes is not None:  # no nn.Embedding: spectral norm, which bounds those, must not shrink gains
            self.table = nn.Parameter(torch.tensor([1.0, 0.0]).repeat_interleave(channels).repeat(classes, 1))

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        x = self.norm(x)
        if self.table is None:
            return x
        gain, bias = F.embedding(cond, self.table)[:, :, None, None].chunk(2, 1)
        return x * gain + bias


def normalised(x: Tensor) -> Tensor:
    """Rows of mean square 1."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()
