"""How far a number would move with other samples (Efron 1979)."""

from collections.abc import Callable

import torch
from torch import Tensor


def standard_error(
    statistic: Callable[[Tensor], Tensor], count: int, resamples: int, generator: torch.Generator
) -> Tensor | None:
    """The spread of `statistic(rows)` over `resamples` draws of `count` rows with replacement; None below 2 draws."""
    if resamples < 2:
        return None
    draws = [torch.randint(count, (count,), generator=generator) for _ in range(resamples)]
    return torch.stack([statistic(rows) for rows in draws]).double().std()
