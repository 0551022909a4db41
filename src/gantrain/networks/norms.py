"""The normalisation of a convolution's maps by its name."""

from typing import Literal

from torch import nn

Norm = Literal["batch", "instance", "none"]


def norm_layers(norm: Norm, channels: int) -> list[nn.Module]:
    """The layer, if any. With one picture a batch, batch norm trains as instance norm (Ulyanov et al. 2016) does.

    Instance norm has no weights of its own, and does the same in training and in use. A convolution before a norm
    needs no bias, which the norm would take away again.
    """
    if norm == "none":
        return []
    return [nn.BatchNorm2d(channels) if norm == "batch" else nn.InstanceNorm2d(channels)]
