"""The generator of PacGAN's experiments (Lin et al. 2018, arXiv 1712.04086); its discriminator is DCGAN's."""

from torch import Tensor, nn

from gantrain.networks.init import initialise


class Generator(nn.Module):
    """Latents (n, z_dim) to pictures (n, channels, size, size) in (-1, 1).

    Its maps have the sides of a convolution's way down, each half of the one before, rounded up: 2, 4, 7, 14, 28. A
    linear stem makes 8 * width channels of the smallest; transposed convolutions of 5x5 with batch norm follow.
    """

    def __init__(self, z_dim: int, width: int, size: int, channels: int):
        super().__init__()
        self.z_dim = z_dim
        sides = [size]
        for _ in range(4):
            sides.insert(0, -(-sides[0] // 2))
        counts = [8 * width, 4 * width, 2 * width, width, channels]
        layers: list[nn.Module] = [nn.Linear(z_dim, counts[0] * sides[0] ** 2)]
        layers.append(nn.Unflatten(1, (counts[0], sides[0], sides[0])))
        for i in range(4):
            layers += [nn.BatchNorm2d(counts[i]), nn.ReLU()]
            odd = sides[i + 1] - 2 * sides[i] + 1  # a side of 7 has no last place that 8 would have
            layers.append(nn.ConvTranspose2d(counts[i], counts[i + 1], 5, 2, 2, output_padding=odd))
        self.layers = nn.Sequential(*layers, nn.Tanh())
        initialise(self, "dcgan")

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)
