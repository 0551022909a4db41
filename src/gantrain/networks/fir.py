"""Maps twice or half as large through a small filter, which leaves no checkerboard (Zhang 2019, arXiv 1904.11486)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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
        channels = x.shape[1]
        kernel = self.kernel.to(x.dtype).expand(channels, 1, 4, 4)
        resample = F.conv_transpose2d if self.up else F.conv2d
        return resample(x, kernel, stride=2, padding=1, groups=channels)


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
        channels = x.shape[1]
        kernel = self.kernel.to(x.dtype).expand(channels, -1, -1, -1)
        return F.conv2d(x, kernel, padding=self.padding, groups=channels)
