"""Scores from nearest neighbours: precision and recall, density and coverage, copying."""

import torch
from torch import Tensor

ROWS = 1000  # distances computed together
K_PRECISION = 3  # of precision and recall, as their paper has it
K_DENSITY = 5  # of density and coverage, as theirs
KS = (K_PRECISION, K_DENSITY)


def overlap(real: Tensor, fake: Tensor, real_radii: Tensor | None = None) -> dict[str, Tensor]:
    """Improved precision and recall (Kynkaanniemi et al. 2019, arXiv 1904.06991), density and coverage (Naeem et al.
    2020, arXiv 2002.09797) of features (n, d) and (m, d), each more than 5 samples.

    Each is what every sample says of it, fakes of precision and density, real ones of the others; scores are the means.
    Precision: a fake lies in the ball of some real sample to its third neighbour among the real ones; recall the other
    way round. Density: in how many balls to the fifth neighbour, over five; coverage: a real one's ball holds a fake.
    `real_radii` are `radii(real, KS)`, where they are known.
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
    columns = list(ks)  # the nearest of all, 0, is the row itself
    nearest = (torch.cdist(rows, features).topk(max(ks) + 1, largest=False).values for rows in features.split(ROWS))
    return torch.cat([distances[:, columns] for distances in nearest])


def nearest(queries: Tensor, among: Tensor, own: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The distance (n,) and number (n,) of each query's nearest row of `among`, exact also where it is tiny.

    Each query passes over its `own` row (n,) of `among`, where there is a row of that number; its distance is infinite
    where there is no other.
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
        # cdist goes through inner products, whose rounding hides how near a copy is.
        exact = (rows.double() - among[number].double()).norm(dim=1)
        distances.append(torch.where(least.isinf(), torch.inf, exact))
    return torch.cat(distances), torch.cat(numbers)
