"""What lets a discriminator see how samples differ from each other, not only how each one looks."""

import torch
from torch import Tensor, nn


class MinibatchDeviation(nn.Module):
    """Maps (n, c, ...) to (n, c + 1, ...): the new channel is how much the samples of a group vary.

    That is one number per group of at most `group` samples: their standard deviation, its mean over all features and
    places (Karras et al. 2018, arXiv 1710.10196, section 3). A group takes every (n / group)-th sample; where `group`
    does not divide n, the next smaller number that does is taken.
    """

    def __init__(self, group: int):
        super().__init__()
        if group < 2:
            raise ValueError(f"group is {group}, it must be 2 or more samples")
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        n = len(x)
        size = next(size for size in range(min(self.group, n), 0, -1) if n % size == 0)
        groups = x.float().unflatten(0, (size, n // size))
        # The small constant keeps the root's slope finite where all samples of a group are the same.
        deviation = (groups.var(0, unbiased=False) + 1e-8).sqrt().flatten(1).mean(1)
        channel = deviation.to(x.dtype).repeat(size).view(n, *[1] * (x.dim() - 1))
        return torch.cat([x, channel.expand(n, 1, *x.shape[2:])], 1)
