"""Styles of trained runs: which runs have them, straight walks between them, and mixtures (Karras et al. 2019)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gantrain.errors import UserError


def refuse_without_styles(module: Any, what: str) -> None:
    """Raise UserError for `what` was asked for, where the run has no style space."""
    if "styles" not in module.verbs:
        raise UserError(
            f"{what}: this run has no styles; name a run of StyleGAN2, such as of experiment=stylegan2_mnist"
        )


def straight(starts: Tensor, ends: Tensor, times: Tensor) -> Tensor:
    """From styles (legs, layers, w_dim) to others, at `times` (steps,) from 0 to 1: (legs, steps, layers, w_dim)."""
    return torch.lerp(starts[:, None], ends[:, None], times[None, :, None, None])


def mixtures(rows: Tensor, columns: Tensor, layers: Sequence[int]) -> Tensor:
    """Styles (r, c, layers, w_dim): of rows (r, ...), with those of columns (c, ...) in some of their layers."""
    mixed = rows[:, None].repeat(1, len(columns), 1, 1)
    mixed[:, :, layers] = columns[None, :, layers]
    return mixed
