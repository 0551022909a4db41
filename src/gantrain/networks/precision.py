"""What of a network stays in float32 under autocast, and what float16 can hold."""

from collections.abc import Callable

import torch
from torch import Tensor

LIMIT = 256.0  # of what a convolution gives in float16


def in_float16(x: Tensor) -> bool:
    kind = x.device.type
    return torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind) == torch.float16


def widened(x: Tensor) -> Tensor:
    """In float32 where it has half as many bits."""
    return x.float() if x.element_size() < 4 else x


def in_float32(function: Callable[..., Tensor], x: Tensor, *more: Tensor | None) -> Tensor:
    """What `function` makes without autocast."""
    with torch.autocast(x.device.type, enabled=False):
        return function(widened(x), *more)


def bounded(x: Tensor) -> Tensor:
    """In float16 cut at its limit, else as it is."""
    return x.clamp(-LIMIT, LIMIT) if in_float16(x) else x
