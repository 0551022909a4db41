"""Maps twice or half as large through a small filter, which leaves no checkerboard (Zhang 2019, arXiv 1904.11486)."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Filtered(torch.autograd.Function):
    """`filtered`, whose gradient is the same filter the other way: the filter itself has none.

    torch's double backward of a convolution makes the filter's gradient too, for each channel by a convolution of its
    own. Nobody asks for it, and penalties that look at gradients (R1, path length) would pay for it.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor, stride: int, padding: int, up: bool) -> Tensor:
        ctx.other_way = kernel, stride, padding, not up
        return filtered(x, kernel, stride, padding, up)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return Filtered.apply(gradient, *ctx.other_way), None, None, None, None


def filtered(x: Tensor, kernel: Tensor, stride: int, padding: int, up: bool) -> Tensor:
    """Maps (n, c, h, w) through one `kernel` (1, 1, k, k) for all channels, with a stride downwards or upwards."""
    channels = x.shape[1]
    convolve = F.conv_transpose2d if up else F.conv2d
    return convolve(x, kernel.to(x.dtype).expand(channels, -1, -1, -1), None, stride, padding, groups=channels)


def pass_through(x: Tensor, kernel: Tensor, stride: int, padding: int, up: bool) -> Tensor:
    """`filtered`, with a gradient where one is needed; exports know plain convolutions only."""
    needed = x.requires_grad and torch.is_grad_enabled() and not torch.jit.is_tracing()
    return (Filtered.apply if needed else filtered)(x, kernel, stride, padding, up)


class Resample(nn.Module):
    """Maps (n, c, h, w) through the binomial filter [1, 3, 3, 1] of both axes, to (n, c, 2h, 2w) or (n, c, h/2, w/2).

    Upwards it is exactly zero insertion and the filter with a gain of 4, downwards the filter and every second place,
    each as one convolution per channel with a stride. Beyond the border there are zeros.
    """

    kernel: Tensor

    def __init__(self, up: bool):
        super().__init__()
        line = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.up = up
        self.register_buffer("kernel", torch.outer(line, line)[None, None] / (16 if up else 64), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return pass_through(x, self.kernel, stride=2, padding=1, up=self.up)


class Blur(nn.Module):
    """A filter of `taps` of both axes at every place, of sum `gain`: maps (n, c, h, w) with `padding` zeros at each
    border become (n, c, h + 2 padding - 3, w + 2 padding - 3), where there are four taps."""

    kernel: Tensor

    def __init__(self, padding: int, gain: float = 1.0, taps: Sequence[float] = (1, 3, 3, 1)):
        super().__init__()
        line = torch.tensor(taps, dtype=torch.float32)
        self.padding = padding
        self.register_buffer("kernel", torch.outer(line, line)[None, None] * (gain / sum(taps) ** 2), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return pass_through(x, self.kernel, stride=1, padding=self.padding, up=False)
