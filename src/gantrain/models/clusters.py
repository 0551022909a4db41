"""Labels that a game makes itself: clusters of the samples (Self-Conditioned GANs, Liu et al. 2020, arXiv 2006.10728).

The paper clusters what the discriminator sees, and does so anew while it learns. Here small pixels are clustered, once.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.module import GANDataModule
from gantrain.data.rows import cluster, moved, small
from gantrain.errors import UserError
from gantrain.networks.precision import in_float32
from gantrain.rng import derive_seed

MOST, PART = 20_000, 500  # samples that are clustered, and samples that are read at a time
ROUNDS, MOVING = 50, 30  # rounds that even the sizes, and the first of them, in which the centres move as well
STEP = 0.1  # change of a price in the first round, in mean squared distances of a row from its centre
LONGER, SHORTER = 1.3, 0.5  # factor of a step after one in the same direction, and after a change of direction (Rprop)


class Clusters:
    """Which of `count` clusters a sample is in; they have about the same size, as latents choose each equally often."""

    centres: Tensor  # (count, d)
    prices: Tensor  # (count,)

    def __init__(self, count: int):
        check_whole(2, clusters=count)
        self.count = count

    def fit(self, data: GANDataModule, seed: int) -> None:
        """Find the clusters of the data: a function of the data and the seed. Raises UserError."""
        if self.count > len(data):
            raise UserError(
                f"models.clusters is {self.count}, but there are only {len(data)} samples to sort; take fewer clusters"
            )
        chosen = np.linspace(0, len(data) - 1, min(len(data), MOST)).round().astype(np.int64)
        parts = np.array_split(chosen, -(-len(chosen) // PART))
        rows = torch.cat([small(shown) for part in parts for shown in as_trained(data, part)])
        generator = torch.Generator().manual_seed(derive_seed(seed, "clusters"))
        self.centres, self.prices = evened(rows, cluster(rows, self.count, generator))

    def of(self, samples: Tensor) -> Tensor:
        """The number (n,) of each sample's cluster."""
        if self.centres.device != samples.device:
            self.centres, self.prices = self.centres.to(samples.device), self.prices.to(samples.device)
        return in_float32(cheapest, small(samples), self.centres, self.prices)  # as they were found

    def state_dict(self) -> dict[str, Any]:
        return {"centres": self.centres, "prices": self.prices}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Raises ValueError for other clusters than these."""
        centres, prices = state["centres"], state["prices"]
        if centres.shape != self.centres.shape or prices.shape != self.prices.shape:
            raise ValueError(f"clusters: their centres are {tuple(centres.shape)}, not {tuple(self.centres.shape)}")
        if not all(part.dtype == torch.float32 and torch.isfinite(part).all() for part in (centres, prices)):
            raise ValueError("clusters: their centres and prices are finite numbers")
        self.centres, self.prices = centres.to(device), prices.to(device)


def as_trained(data: GANDataModule, indices: np.ndarray) -> list[Tensor]:
    """These samples, and the same mirrored where training mirrors them."""
    real = data.take(indices)["real"]
    return [real, real.flip(-1)] if data.flip else [real]


def cheapest(rows: Tensor, centres: Tensor, prices: Tensor) -> Tensor:
    """The number (n,) of the centre whose squared distance plus price is the least for each row."""
    return (centres.square().sum(1) + prices - 2 * rows @ centres.T).argmin(1)


def evened(rows: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Centres (k, d) near the given ones and prices (k,) by which about the same number of rows goes to each.

    The price of a centre rises where too many rows go to it, and falls where too few do. The best round is taken: where
    rows lie in crowds far apart, no prices may divide them evenly.
    """
    count = len(centres)
    prices, before, least = torch.zeros(count), torch.zeros(count), torch.inf
    scale = (rows - centres[cheapest(rows, centres, prices)]).square().sum(1).mean()
    steps, best = (STEP * scale).repeat(count), (centres, prices)
    for i in range(ROUNDS):
        cells = cheapest(rows, centres, prices)
        surplus = torch.bincount(cells, minlength=count) * count / len(rows) - 1
        if (worst := surplus.abs().max().item()) < least:
            least, best = worst, (centres, prices)
        turned = surplus * before
        steps = steps * torch.where(turned > 0, LONGER, torch.where(turned < 0, SHORTER, 1.0))
        before, prices = surplus, prices + steps * surplus.clamp(-1, 1)
        if i < MOVING:
            centres = moved(rows, cells, centres)
    return best
