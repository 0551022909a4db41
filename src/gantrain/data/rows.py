"""Samples of any rank as rows of a few hundred numbers, and clusters of rows."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = {4: 16, 5: 8}  # of a small picture and a small volume, at most


def small(samples: Tensor) -> Tensor:
    """Samples of any rank (n, ...) as rows (n, d), pictures and volumes made smaller by a whole factor."""
    if samples.dim() in SIDE:
        factor = math.ceil(max(samples.shape[2:]) / SIDE[samples.dim()])
        pool = F.avg_pool2d if samples.dim() == 4 else F.avg_pool3d
        samples = pool(samples.float(), [min(factor, side) for side in samples.shape[2:]])
    return samples.float().flatten(1)


def cluster(rows: Tensor, count: int, generator: torch.Generator, rounds: int = 10) -> Tensor:
    """Centres (count, d) of clusters of the rows (n, d), by k-means from rows that `generator` chooses."""
    centres = rows[torch.randperm(len(rows), generator=generator)[:count].to(rows.device)].clone()
    for _ in range(rounds):
        centres = moved(rows, torch.cdist(rows, centres).argmin(1), centres)
    return centres


def moved(rows: Tensor, cells: Tensor, centres: Tensor) -> Tensor:
    """Each centre (k, d) in the middle of its rows, by their numbers `cells` (n,); one without rows stays."""
    sums = torch.zeros_like(centres).index_add_(0, cells, rows)
    sizes = torch.bincount(cells, minlength=len(centres))[:, None]
    return torch.where(sizes > 0, sums / sizes.clamp_min(1), centres)
