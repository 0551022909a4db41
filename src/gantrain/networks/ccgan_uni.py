"""mnistGANs' pair that fills holes (its CCGAN, Denton et al. 2016): two convolutions down, two up, batch norm."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from gantrain.networks.critique import Critique
from gantrain.networks.init import initialise
from gantrain.networks.minibatch import minibatch_layers


class Generator(nn.Module):
    """Pictures with holes (n, channels + 1, size, size) to whole ones (n, channels, size, size) in (-1, 1).

    As in the source it does not look at the mask, the last channel: it knows a hole by its colour.
    """

    def __init__(self, width: int, size: int, channels: int):
        super().__init__()
        if size % 4:
            raise ValueError(f"size is {size}, it must be a multiple of 4")
        self.layers = nn.Sequential(
            *(nn.Conv2d(channels, width, 4, 2, 1), nn.BatchNorm2d(width), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(width, 2 * width, 4, 2, 1), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2)),
            *(nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.ConvTranspose2d(width, width // 2, 4, 2, 1), nn.BatchNorm2d(width // 2), nn.ReLU()),
            *(nn.Conv2d(width // 2, channels, 4, padding="same"), nn.Tanh()),
        )
        initialise(self, "glorot")

    def forward(self, cond: Tensor) -> Tensor:
        return self.layers(cond[:, :-1])


class Discriminator(nn.Module):
    """Pictures (n, channels, size, size) to a Critique: logits (n,), and `auxiliary` numbers that say the class.

    `minibatch` shows the last layer how samples of a batch differ (`minibatch_layers`).
    """

    def __init__(
        self, width: int, size: int, channels: int, auxiliary: int, minibatch: Mapping[str, Any] | None = None
    ):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(channels, width, 4, 2, 1), nn.BatchNorm2d(width), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(width, 2 * width, 4, 2, 1), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2)),
            nn.Flatten(),
        )
        beside, judged = minibatch_layers(minibatch, 2 * width * (size // 4) ** 2)
        self.minibatch = nn.Sequential(*beside)
        self.head = nn.Linear(judged, 1 + auxiliary)
        initialise(self, "glorot")

    def forward(self, images: Tensor) -> Critique:
        said = self.head(self.minibatch(self.layers(images)))
        return Critique(said[:, 0], auxiliary=said[:, 1:])
