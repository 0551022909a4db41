"""Gradients before a step: clipped where they are finite, refused where they are not."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

# Below this scale of the gradients it is no overflow that makes them infinite.
LOWEST_SCALE = 2.0**-10


def clip_or_refuse(weights: Sequence[nn.Parameter], loss: Tensor, limit: float | None, scaler: Any) -> str | None:
    """Bound the norm of unscaled gradients by `limit`; returns `loss` or `gradient` where that one is not finite.

    An overflow of fp16 is none of the two: `scaler` skips the step by itself and lowers its scale.
    """
    norm = torch.nn.utils.get_total_norm([weight.grad for weight in weights])
    if torch.isfinite(loss + norm):
        if limit is not None:
            torch.nn.utils.clip_grads_with_norm_(weights, limit, norm)
        return None
    if not torch.isfinite(loss):
        return "loss"
    return None if scaler is not None and scaler.get_scale() > LOWEST_SCALE else "gradient"
