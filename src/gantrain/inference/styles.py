"""Styles of trained runs: which runs have them, straight walks between them, mixtures (Karras et al. 2019), moves."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gantrain.errors import UserError

SPREAD_OVER = 10_000  # latents


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


def spread(module: Any, raw: bool) -> tuple[Tensor, float]:
    """The mean (w_dim,) of a run's w, and how far from it they lie, the root of the mean squared distance."""
    w = module.mapped(module.latents(SPREAD_OVER, torch.Generator().manual_seed(0)), raw=raw)
    return w.mean(0), (w - w.mean(0)).square().sum(1).mean().sqrt().item()


def moved(style: Tensor, directions: Tensor, distances: Tensor) -> Tensor:
    """One style (layers, w_dim) moved along each of `directions` (n, layers, w_dim) by each of `distances` (steps,):
    (n, steps, layers, w_dim)."""
    return style + directions[:, None] * distances[None, :, None, None]
