"""mnistGANs' growing pair: batch norm, and projections of the older maps while a size fades in (Karras et al. 2018)."""

import itertools
from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.networks.dropout import Dropout
from gantrain.networks.growing import Growing, doubled
from gantrain.networks.init import initialise
from gantrain.networks.minibatch import minibatch_layers

NORM: dict[str, Any] = {"eps": 1e-3, "momentum": 0.01}  # Keras' batch norm


class Generator(Growing):
    """Latents (n, z_dim) to pictures (n, channels, side, side) in (-1, 1); `side` grows up to `size`.

    `width` channels at the last size, twice as many at each halving, but eight times at the smallest. While a size
    fades in, its layer to the picture is shown the older maps as well, doubled and projected to its channels.
    """

    def __init__(self, z_dim: int, width: int, size: int, channels: int):
        super().__init__(size)
        self.z_dim = z_dim
        counts = [8 * width, *(width * 2**i for i in reversed(range(len(self.sizes) - 1)))]
        flat = counts[0] * self.sizes[0] ** 2
        self.blocks = nn.ModuleDict(
            {
                str(self.sizes[0]): nn.Sequential(
                    *(nn.Linear(z_dim, flat), nn.BatchNorm1d(flat, **NORM), nn.ReLU()),
                    nn.Unflatten(1, (counts[0], self.sizes[0], self.sizes[0])),
                )
            }
        )
        self.projections = nn.ModuleDict()
        for side, (a, b) in zip(self.sizes[1:], itertools.pairwise(counts), strict=True):
            self.blocks[str(side)] = nn.Sequential(
                nn.ConvTranspose2d(a, b, 4, 2, 1), nn.BatchNorm2d(b, **NORM), nn.ReLU()
            )
            self.projections[str(side)] = nn.Conv2d(a, b, 1)
        self.to_rgb = nn.ModuleDict(
            {
                str(side): nn.Sequential(nn.Conv2d(count, channels, 1), nn.Tanh())
                for side, count in zip(self.sizes, counts, strict=True)
            }
        )
        initialise(self, "glorot")

    def forward(self, z: Tensor) -> Tensor:
        x, now = z, str(self.side)
        for side in self.active:
            before, x = x, self.blocks[str(side)](x)
        picture = self.to_rgb[now](x)
        if now not in self.projections:
            return picture
        return self.mixed(self.to_rgb[now](self.projections[now](doubled(before))), picture)


class Discriminator(Growing):
    """Pictures (n, channels, side, side) to logits (n,).

    `width` channels at half the last size, twice as many at each halving. While a size fades in, the maps made of its
    picture are also pooled and projected, past its block. `minibatch` shows the last layer how samples of a batch
    differ (`minibatch_layers`).
    """

    def __init__(
        self,
        width: int,
        size: int,
        channels: int,
        dropout: float = 0.3,
        minibatch: Mapping[str, Any] | None = None,
    ):
        super().__init__(size)
        sizes = self.sizes[::-1]
        counts = [channels, *(width * 2**i for i in range(len(sizes) - 1))]
        self.from_rgb = nn.ModuleDict(
            {
                str(side): nn.Sequential(nn.Conv2d(channels, count, 1), nn.Tanh())
                for side, count in zip(sizes, counts, strict=True)
            }
        )
        self.blocks, self.projections = nn.ModuleDict(), nn.ModuleDict()
        for side, (a, b) in zip(sizes, itertools.pairwise(counts), strict=False):
            self.blocks[str(side)] = nn.Sequential(
                *(nn.Conv2d(a, b, 4, 2, 1), nn.BatchNorm2d(b, **NORM), nn.LeakyReLU(0.3), Dropout(dropout))
            )
            self.projections[str(side)] = nn.Conv2d(a, b, 1)
        beside, judged = minibatch_layers(minibatch, counts[-1] * sizes[-1] ** 2)
        self.minibatch = nn.Sequential(*beside)
        self.head = nn.Linear(judged, 1)
        initialise(self, "glorot")

    def forward(self, images: Tensor) -> Tensor:
        self.check_side(images)
        x = self.from_rgb[str(self.side)](images)
        for side in self.active[:0:-1]:
            made = self.blocks[str(side)](x)
            if side == self.side:
                pooled = F.avg_pool2d(x, 4, 2, 1, count_include_pad=False)  # as Keras pools at a border
                made = self.mixed(self.projections[str(side)](pooled), made)
            x = made
        return self.head(self.minibatch(x.flatten(1))).squeeze(1)
