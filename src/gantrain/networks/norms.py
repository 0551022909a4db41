"""The normalisation of a convolution's maps by its name."""

from typing import Literal

from torch import nn

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
