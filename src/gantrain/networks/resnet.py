"""The residual generator of CycleGAN (Zhu et al. 2017, appendix 7.2; Johnson et al. 2016): same size, any size."""

import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.networks.init import Init, initialise
from gantrain.networks.norms import Norm, norm_layers


class Residual(nn.Module):
    """The input plus what two 3x3 convolutions make of it."""

    def __init__(self, width: int, norm: Norm):
        super().__init__()
        self.layers = nn.Sequential(
            *mirrored_conv(width, width, 3, norm), nn.ReLU(), *mirrored_conv(width, width, 3, norm)
        )

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.layers(maps)


class Generator(nn.Module):
    """Pictures (n, cond_channels, h, w) to (n, channels, h, w) in (-1, 1), h and w multiples of `multiple`.

    The paper has 9 `blocks` for 256x256, 6 for 128x128, and `width` 64. With `residual` it makes what is added to the
    input (Shen and Liu 2017, arXiv 1612.05363), at first nothing: brightness, which instance norm takes away, is kept.
    """

    multiple = 8  # two halvings, and a map that can be mirrored at its borders after them

    def __init__(
        self,
        width: int,
        cond_channels: int,
        channels: int,
        blocks: int = 9,
        norm: Norm = "instance",
        init: Init = "dcgan",
        residual: bool = False,
    ):
        super().__init__()
        if blocks < 1:
            raise ValueError(f"blocks is {blocks}, it must be 1 or more")
        if residual and cond_channels != channels:
            raise ValueError(
                f"residual: {channels} channels cannot be added to an input of {cond_channels}; leave it false"
            )
        self.norm, self.residual = norm, residual
        layers = [*mirrored_conv(cond_channels, width, 7, norm), nn.ReLU()]
        for a in (width, 2 * width):
            layers += [nn.Conv2d(a, 2 * a, 3, 2, 1, bias=norm == "none"), *norm_layers(norm, 2 * a), nn.ReLU()]
        layers += [Residual(4 * width, norm) for _ in range(blocks)]
        for a in (4 * width, 2 * width):
            up = nn.ConvTranspose2d(a, a // 2, 3, 2, 1, output_padding=1, bias=norm == "none")
            layers += [up, *norm_layers(norm, a // 2), nn.ReLU()]
        last = nn.Identity() if residual else nn.Tanh()
        self.layers = nn.Sequential(*layers, *mirrored_conv(width, channels, 7, "none"), last)
        initialise(self, init)
        if residual:
            nn.init.zeros_(self.layers[-2].get_parameter("weight"))

    def forward(self, cond: Tensor) -> Tensor:
        return F.hardtanh(cond + self.layers(cond)) if self.residual else self.layers(cond)


def mirrored_conv(a: int, b: int, kernel: int, norm: Norm) -> list[nn.Module]:
    """A convolution over maps that are mirrored at their borders, which leaves fewer artefacts there than zeros."""
    return [nn.ReflectionPad2d(kernel // 2), nn.Conv2d(a, b, kernel, bias=norm == "none"), *norm_layers(norm, b)]
