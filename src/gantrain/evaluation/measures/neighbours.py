"""Scores from nearest neighbours: precision and recall, density and coverage, copying."""

import torch
from torch import Tensor

ROWS = 1000  # distances computed together
K_PRECISION = 3  # neighbours of precision and recall, as in their paper
K_DENSITY = 5  # neighbours of density and coverage, as in theirs
KS = (K_PRECISION, K_DENSITY)


def overlap(real: Tensor, fake: Tensor, real_radii: Tensor | None = None) -> dict[str, Tensor]:
    """Improved precision and recall (Kynkaanniemi et al. 2019, arXiv 1904.06991), density and coverage (Naeem et al.
    2020, arXiv 2002.09797) of features (n, d) and (m, d), each more than 5 samples.

    Values per sample, whose means are the scores. The ball of a sample reaches to its k-th neighbour on its own side.

    - `precision` (m,): a fake lies in the ball (k = 3) of some real sample.
    - `recall` (n,): a real sample lies in the ball (k = 3) of some fake.
    - `density` (m,): the number of real samples' balls (k = 5) in which a fake lies, divided by 5.
    - `coverage` (n,): the ball (k = 5) of a real sample contains a fake.

    `real_radii` are `radii(real, KS)`, if they are known already.
    """
    if min(len(real), len(fake)) <= K_DENSITY:
        raise ValueError(f"neighbour scores need more than {K_DENSITY} samples of each side")
    real_radii = radii(real, KS) if real_radii is None else real_radii
    fake_radii = radii(fake, (K_PRECISION,))
    precision = torch.zeros(len(fake), dtype=torch.bool, device=real.device)
    density = torch.zeros(len(fake), device=real.device)
    recall = torch.zeros(len(real), dtype=torch.bool, device=real.device)
    coverage = torch.zeros_like(recall)
    for start in range(0, len(real), ROWS):
        rows = slice(start, start + ROWS)
        distances = torch.cdist(real[rows], fake)
        precision |= (distances <= real_radii[rows, 0:1]).any(0)
        density += (distances <= real_radii[rows, 1:2]).sum(0) / K_DENSITY
        recall[rows] = (distances <= fake_radii[:, 0]).any(1)
        coverage[rows] = distances.min(1).values <= real_radii[rows, 1]
    found = {"precision": precision, "recall": recall, "density": density, "coverage": coverage}
    return {name: values.double() for name, values in found.items()}


def radii(features: Tensor, ks: tuple[int, ...]) -> Tensor:
    """Distances (n, len(ks)) of each row of `features` to its k-th neighbours among the others."""
    columns = list(ks)  # column 0, the nearest, is the row itself
    nearest = (torch.cdist(rows, features).topk(max(ks) + 1, largest=False).values for rows in features.split(ROWS))
    return torch.cat([distances[:, columns] for distances in nearest])


def nearest(queries: Tensor, among: Tensor, own: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """For each query the distance (n,) and index (n,) of its nearest row in `among`; tiny distances are exact as well.

    A query ignores the row of `among` with the index in `own` (n,), if there is one. If no other row is left, the
    distance is infinite.
    """
    distances, numbers = [], []
    for start in range(0, len(queries), ROWS):
        rows = queries[start : start + ROWS]
        far = torch.cdist(rows, among)
        if own is not None:
            passed = own[start : start + ROWS, None]
            far.masked_fill_(passed == torch.arange(len(among), device=among.device), torch.inf)
        least, number = far.min(1)
        numbers.append(number)
        # cdist uses inner products, whose rounding errors are larger than the distance to a copy.
        exact = (rows.double() - among[number].double()).norm(dim=1)
        distances.append(torch.where(least.isinf(), torch.inf, exact))
    return torch.cat(distances), torch.cat(numbers)
