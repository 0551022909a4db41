"""What lets a discriminator see how samples differ from each other, not only how each one looks."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.checks import check_whole


class MinibatchDeviation(nn.Module):
    """Maps (n, c, ...) to (n, c + 1, ...): the new channel is how much the samples of a group vary.

    That is one number per group of at most `group` samples: their standard deviation, its mean over all features and
    places (Karras et al. 2018, arXiv 1710.10196, section 3). A group takes every (n / group)-th sample; where `group`
    does not divide n, the next smaller number that does is taken.
    """

    def __init__(self, group: int = 4):
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


class MinibatchDiscrimination(nn.Module):
    """Features (n, `features`) to (n, features + rows): how near each sample is to the others of its batch.

    Row b of `rows` is the sum over all others of exp(-d), with d the L1 distance of their projections to `size` numbers
    (Salimans et al. 2016, section 3.2). The columns of the projection are of length 1 times a learned factor, so that
    the first distances are the same whatever the features' number is; a learned bias begins at -1, both as in the
    authors' code. A process, and a part of a batch with microbatches, sees its own samples alone.
    """

    def __init__(self, features: int, rows: int = 16, size: int = 8):
        super().__init__()
        check_whole(1, rows=rows, size=size)
        self.rows = rows
        self.projection = nn.Parameter(torch.randn(features, rows * size))
        self.scale = nn.Parameter(torch.zeros(rows * size))
        self.bias = nn.Parameter(torch.full((rows,), -1.0))

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        columns = F.normalize(self.projection, dim=0) * self.scale.exp()
        projected = (x @ columns).float().view(n, self.rows, -1)
        near = torch.exp(-(projected[:, None] - projected).abs().sum(3))
        others = near.sum(1) - 1  # near oneself is exactly 1
        return torch.cat([x, (others + self.bias).to(x.dtype)], 1)


def minibatch_layers(
    options: Mapping[str, Any] | None, features: int, maps: bool = False
) -> tuple[list[nn.Module], int]:
    """What a discriminator's option `minibatch` puts behind its last `features`, and how many there are then.

    `kind` is `deviation`, with `group`, or `discrimination`, with `rows` and `size`, which wants a vector of each
    sample and not `maps`. Null asks for nothing. Raises ValueError.
    """
    if options is None:
        return [], features
    chosen = {key: value for key, value in options.items() if key != "kind"}
    kind = options.get("kind")
    if kind not in ("deviation", *(["discrimination"] if not maps else [])):
        raise ValueError(
            f"minibatch.kind is {kind!r}, it must be deviation (with group)"
            + ("; this discriminator has no vector of a sample" if maps else ", or discrimination (with rows and size)")
        )
    takes = ("group",) if kind == "deviation" else ("rows", "size")
    for key in chosen:
        if key not in takes:
            raise ValueError(f"minibatch.{key}: kind {kind} has no such option; it takes {' and '.join(takes)}")
    check_whole(1, **{f"minibatch.{key}": value for key, value in chosen.items()})
    if kind == "deviation":
        return [MinibatchDeviation(**chosen)], features + 1
    layer = MinibatchDiscrimination(features, **chosen)
    return [layer], features + layer.rows
