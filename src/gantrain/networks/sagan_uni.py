"""mnistGANs' pair with self-attention: DCGAN's layers, attention without pooling, batch norm and no spectral norm."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn

from gantrain.networks.attention import SelfAttention
from gantrain.networks.dcgan import up
from gantrain.networks.init import initialise
from gantrain.networks.minibatch import minibatch_layers

# Keras' batch norm; attention reads an eighth of the channels, through a factor that begins at 0.01.
norm_2d = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)
attend = partial(SelfAttention, value=1 / 8, gamma=0.01, pool=False, bias=True)


class Generator(nn.Module):
    """Latents (n, z_dim) to pictures (n, channels, size, size) in (-1, 1); both doublings are followed by attention."""

    def __init__(self, z_dim: int, width: int, size: int, channels: int):
        super().__init__()
        if size % 4:
            raise ValueError(f"size is {size}, it must be a multiple of 4")
        self.z_dim, side = z_dim, size // 4
        stem = 4 * width * side**2
        self.layers = nn.Sequential(
            *(nn.Linear(z_dim, stem), nn.BatchNorm1d(stem, eps=1e-3, momentum=0.01), nn.ReLU()),
            nn.Unflatten(1, (4 * width, side, side)),
            *(up(4 * width, 2 * width, 4, 2, True), norm_2d(2 * width), nn.ReLU(), attend(2 * width)),
            *(up(2 * width, width, 4, 2, True), norm_2d(width), nn.ReLU(), attend(width)),
            *(nn.Conv2d(width, channels, 4, padding="same"), nn.Tanh()),
        )
        initialise(self, "glorot")

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class Discriminator(nn.Module):
    """Pictures (n, channels, size, size) to logits (n,).

    `minibatch` shows the last layer how samples of a batch differ (`minibatch_layers`).
    """

    def __init__(
        self,
        width: int,
        size: int,
        channels: int,
        dropout: float = 0.3,
        minibatch: Mapping[str, Any] | None = None,
    ):
        super().__init__()

        def block(a: int, b: int) -> list[nn.Module]:
            return [nn.Conv2d(a, b, 4, 2, 1), norm_2d(b), nn.LeakyReLU(0.3), nn.Dropout(dropout)]

        self.layers = nn.Sequential(*block(channels, width), attend(width), *block(width, 2 * width), nn.Flatten())
        beside, judged = minibatch_layers(minibatch, 2 * width * (size // 4) ** 2)
        self.minibatch = nn.Sequential(*beside)
        self.head = nn.Linear(judged, 1)
        initialise(self, "glorot")

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.minibatch(self.layers(images))).squeeze(1)
