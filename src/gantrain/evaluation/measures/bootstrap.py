"""The bootstrap: how much a statistic varies with the samples (Efron 1979)."""

from collections.abc import Callable

import torch
from torch import Tensor


def standard_error(
    statistic: Callable[[Tensor], Tensor], count: int, resamples: int, generator: torch.Generator
) -> Tensor | None:
    """The standard deviation of `statistic(rows)` over `resamples` draws of `count` rows with replacement; None for
    fewer than 2 draws."""
    if resamples < 2:
        return None
    draws = [torch.randint(count, (count,), generator=generator) for _ in range(resamples)]
    return torch.stack([statistic(rows) for rows in draws]).double().std()
