"""Kernel Inception Distance (Binkowski et al. 2018, arXiv 1801.01401)."""

import torch
from torch import Tensor

LARGEST_BLOCK = 1000  # samples; the paper's subset
FEWEST_BLOCKS = 10


def kernel_distance(real: Tensor, fake: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """Unbiased squared MMD between features (n, d) and (m, d) with the kernel (x.y / d + 1)^3, and its standard error.

    The mean over disjoint blocks of up to 1,000 samples of each side, at least ten blocks if there are 20 samples (the
    B-test of Zaremba et al. 2013). Disjoint blocks are independent, so their spread gives a valid standard error; the
    usual overlapping random subsets do not. The error is None if there is only one block.
    """
    count = min(len(real), len(fake))
    if count < 2:
        raise ValueError("the kernel distance needs at least 2 samples of each side")
    size = max(2, min(LARGEST_BLOCK, count // FEWEST_BLOCKS))
    orders = [torch.randperm(len(side), generator=generator) for side in (real, fake)]
    blocks = zip(*(order[: count // size * size].split(size) for order in orders), strict=True)
    values = torch.stack([squared_mmd(real[x].double(), fake[y].double()) for x, y in blocks])
    return values.mean(), values.std() / len(values) ** 0.5 if len(values) > 1 else None


def squared_mmd(x: Tensor, y: Tensor) -> Tensor:
    """The unbiased estimator for samples (n, d) and (m, d); it may be negative."""

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def off_diagonal_mean(k: Tensor) -> Tensor:
        return (k.sum() - k.trace()) / (len(k) * (len(k) - 1))

    return off_diagonal_mean(kernel(x, x)) + off_diagonal_mean(kernel(y, y)) - 2 * kernel(x, y).mean()
