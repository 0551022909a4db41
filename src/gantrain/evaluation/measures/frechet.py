"""Frechet distance between Gaussians fitted to features (Heusel et al. 2017, arXiv 1706.08500)."""

import torch
from torch import Tensor

ROWS = 10_000  # in float64 at a time


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (d,) and unbiased covariance (d, d) of features (n, d), in float64. Needs two samples."""
    if len(features) < 2:
        raise ValueError("a covariance needs at least 2 samples")
    mean = features.mean(0, dtype=torch.float64)
    centred = (part.double() - mean for part in features.split(ROWS))
    return mean, sum(part.T @ part for part in centred) / (len(features) - 1)


def root_of(covariance: Tensor) -> Tensor:
    """The symmetric square root of a covariance (d, d), in float64."""
    values, vectors = torch.linalg.eigh(covariance.double())
    return vectors * values.clamp_min(0).sqrt() @ vectors.T


def frechet_distance(
    mean: Tensor, covariance: Tensor, other_mean: Tensor, other_covariance: Tensor, root: Tensor | None = None
) -> Tensor:
    """Squared Wasserstein-2 distance of two Gaussians: |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2).

    `root` is the square root of the first covariance, if it is known already.

    All eigenvalues are those of symmetric matrices, in float64. The usual matrix square root of C1 C2, which is not
    symmetric, becomes complex for the rank-deficient covariances of few samples.
    """
    gap = (mean.double() - other_mean.double()).square().sum()
    root = root_of(covariance) if root is None else root
    product = root @ other_covariance.double() @ root
    shared = torch.linalg.eigvalsh((product + product.T) / 2).clamp_min(0).sqrt().sum()
    distance = gap + covariance.double().trace() + other_covariance.double().trace() - 2 * shared
    return distance.clamp_min(0)


def intra_class(real: Tensor, real_labels: Tensor, fake: Tensor, fake_labels: Tensor) -> dict[int, Tensor]:
    """The distance within each class that has two samples on both sides (Miyato and Koyama 2018, arXiv 1802.05637).

    Labels are on the CPU.
    """
    distances = {}
    for label in sorted(set(real_labels.tolist()) & set(fake_labels.tolist())):
        mine, theirs = real[real_labels == label], fake[fake_labels == label]
        if min(len(mine), len(theirs)) >= 2:
            distances[label] = frechet_distance(*moments(mine), *moments(theirs))
    return distances
