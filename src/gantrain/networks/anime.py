"""The networks of "GAN Projects", chapter 4, for faces cut from drawings: upsampling against max-pooling."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from gantrain.networks.init import Init, initialise
from gantrain.networks.minibatch import minibatch_layers


class Generator(nn.Module):
    """Latents (n, z_dim) to pictures (n, channels, size, size) in (-1, 1).

    Two dense layers, the second onto a (4 * width)-channel map of an eighth of the side, then three times nearest
    upsampling and a 5x5 convolution. `width` is 64 in the book.
    """

    def __init__(self, z_dim: int, width: int, size: int, channels: int, slope: float = 0.2, init: Init = "glorot"):
        super().__init__()
        if size % 8:
            raise ValueError(f"size {size} is no multiple of 8")
        self.z_dim, base = z_dim, size // 8

        def block(a: int, b: int, last: nn.Module) -> list[nn.Module]:
            return [nn.Upsample(scale_factor=2), nn.Conv2d(a, b, 5, padding=2), last]

        flat = 4 * width * base * base
        self.layers = nn.Sequential(
            *[nn.Linear(z_dim, 32 * width), nn.LeakyReLU(slope)],
            *[nn.Linear(32 * width, flat), nn.BatchNorm1d(flat, eps=1e-3, momentum=0.01), nn.LeakyReLU(slope)],
            nn.Unflatten(1, (4 * width, base, base)),
            *block(4 * width, 2 * width, nn.LeakyReLU(slope)),
            *block(2 * width, width, nn.LeakyReLU(slope)),
            *block(width, channels, nn.Tanh()),
        )
        initialise(self, init)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class Discriminator(nn.Module):
    """Pictures (n, channels, size, size) to logits (n,): three convolutions with max-pooling, two dense layers.

    `width` is 128 in the book; the last two convolutions are "valid". `minibatch` shows the last layer how samples of a
    batch differ (`minibatch_layers`).
    """

    def __init__(
        self,
        width: int,
        size: int,
        channels: int,
        slope: float = 0.2,
        minibatch: Mapping[str, Any] | None = None,
        init: Init = "glorot",
    ):
        super().__init__()

        def block(a: int, b: int, kernel: int, padding: int) -> list[nn.Module]:
            return [nn.Conv2d(a, b, kernel, padding=padding), nn.LeakyReLU(slope), nn.MaxPool2d(2)]

        side = ((size // 2 - 2) // 2 - 2) // 2
        if side < 1:
            raise ValueError(f"size {size} leaves nothing after three poolings")
        beside, judged = minibatch_layers(minibatch, 8 * width)
        self.layers = nn.Sequential(
            *block(channels, width, 5, 2),
            *block(width, 2 * width, 3, 0),
            *block(2 * width, 4 * width, 3, 0),
            *[nn.Flatten(), nn.Linear(4 * width * side * side, 8 * width), nn.LeakyReLU(slope)],
            *[*beside, nn.Linear(judged, 1)],
        )
        initialise(self, init)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).squeeze(1)
