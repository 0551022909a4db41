"""The networks of Age-cGAN (Antipov et al. 2017) as "GAN Projects", chapter 3, has them: faces of a class of age."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from gantrain.networks.dropout import Dropout
from gantrain.networks.init import Init, initialise
from gantrain.networks.labels import with_class
from gantrain.networks.minibatch import minibatch_layers

# Keras' batch norm: epsilon 1e-3, and a momentum of 0.99 or 0.8, which PyTorch counts from the other end.
EPS, SLOW, QUICK = 1e-3, 0.01, 0.2


class Encoder(nn.Module):
    """Pictures (n, channels, size, size) to latents (n, z_dim); `width` is 32 in the book."""

    def __init__(self, z_dim: int, width: int, size: int, channels: int, slope: float = 0.2, init: Init = "glorot"):
        super().__init__()
        if size % 16:
            raise ValueError(f"size {size} is no multiple of 16")
        self.z_dim = z_dim
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 5, 2, 2), nn.LeakyReLU(slope)]
        for a in (width, 2 * width, 4 * width):
            norm = nn.BatchNorm2d(2 * a, eps=EPS, momentum=SLOW)
            layers += [nn.Conv2d(a, 2 * a, 5, 2, 2), norm, nn.LeakyReLU(slope)]
        flat, hidden = 8 * width * (size // 16) ** 2, 128 * width
        layers += [nn.Flatten(), nn.Linear(flat, hidden), nn.BatchNorm1d(hidden, eps=EPS, momentum=SLOW)]
        layers += [nn.LeakyReLU(slope), nn.Linear(hidden, z_dim)]
        self.layers = nn.Sequential(*layers)
        initialise(self, init)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class Generator(nn.Module):
    """Latents (n, z_dim) and class numbers (n,) to pictures (n, channels, size, size) in (-1, 1).

    Two dense layers take the latent with the one-hot class, then three times nearest upsampling and a 5x5 convolution.
    `width` is 64 in the book.
    """

    def __init__(
        self,
        z_dim: int,
        classes: int,
        width: int,
        size: int,
        channels: int,
        slope: float = 0.2,
        dropout: float = 0.2,
        init: Init = "glorot",
    ):
        super().__init__()
        if size % 8:
            raise ValueError(f"size {size} is no multiple of 8")
        self.z_dim, self.classes, base = z_dim, classes, size // 8

        def block(a: int, b: int) -> list[nn.Module]:
            norm = nn.BatchNorm2d(b, eps=EPS, momentum=QUICK)
            return [nn.Upsample(scale_factor=2), nn.Conv2d(a, b, 5, padding=2), norm, nn.LeakyReLU(slope)]

        hidden, flat = 32 * width, 4 * width * base * base
        self.layers = nn.Sequential(
            *[nn.Linear(z_dim + classes, hidden), nn.LeakyReLU(slope), Dropout(dropout)],
            *[nn.Linear(hidden, flat), nn.BatchNorm1d(flat, eps=EPS, momentum=SLOW), nn.LeakyReLU(slope)],
            *[Dropout(dropout), nn.Unflatten(1, (4 * width, base, base))],
            *block(4 * width, 2 * width),
            *block(2 * width, width),
            *[nn.Upsample(scale_factor=2), nn.Conv2d(width, channels, 5, padding=2), nn.Tanh()],
        )
        initialise(self, init)

    def forward(self, z: Tensor, cond: Tensor) -> Tensor:
        return self.layers(with_class(z, cond, self.classes))


class Discriminator(nn.Module):
    """Pictures (n, channels, size, size) of class numbers (n,) to logits (n,).

    The one-hot class, spread over the map, joins after the first convolution. `width` is 64 in the book; with a
    gradient penalty `norm` must be false. `minibatch` shows the last layer how samples of a batch differ
    (`minibatch_layers`).
    """

    def __init__(
        self,
        classes: int,
        width: int,
        size: int,
        channels: int,
        slope: float = 0.2,
        norm: bool = True,
        minibatch: Mapping[str, Any] | None = None,
        init: Init = "glorot",
    ):
        super().__init__()
        if size % 16:
            raise ValueError(f"size {size} is no multiple of 16")
        self.classes = classes
        self.first = nn.Sequential(nn.Conv2d(channels, width, 3, 2, 1), nn.LeakyReLU(slope))
        layers: list[nn.Module] = []
        for a, b in ((width + classes, 2 * width), (2 * width, 4 * width), (4 * width, 8 * width)):
            norms = [nn.BatchNorm2d(b, eps=EPS, momentum=SLOW)] if norm else []
            layers += [nn.Conv2d(a, b, 3, 2, 1), *norms, nn.LeakyReLU(slope)]
        beside, judged = minibatch_layers(minibatch, 8 * width * (size // 16) ** 2)
        self.rest = nn.Sequential(*layers, nn.Flatten(), *beside, nn.Linear(judged, 1))
        initialise(self, init)

    def forward(self, images: Tensor, cond: Tensor) -> Tensor:
        return self.rest(with_class(self.first(images), cond, self.classes)).squeeze(1)
