"""PGGAN's pair: equalised layers, pixel norm, one size after the other (Karras et al. 2018, arXiv 1710.10196)."""

import itertools
import math

import torch
from torch import Tensor, nn

from gantrain.networks.equalised import EqConv, EqDense
from gantrain.networks.fir import Blur
from gantrain.networks.freezing import freeze_first
from gantrain.networks.growing import Growing, doubled, halved
from gantrain.networks.minibatch import MinibatchDeviation
from gantrain.networks.norms import normalised
from gantrain.networks.precision import in_float32
from gantrain.networks.sizes import channels_of

GAIN = math.sqrt(2)  # of layers with leaky ReLU behind them


class PixelNorm(nn.Module):
    """Features of mean square 1 at each place of maps (n, c, h, w)."""

    def forward(self, x: Tensor) -> Tensor:
        return normalised(x)


class Doubled(nn.Module):
    """Maps of twice the side."""

    def forward(self, x: Tensor) -> Tensor:
        return doubled(x)


def convolution(a: int, b: int) -> list[nn.Module]:
    return [EqConv(a, b, 3, GAIN), nn.LeakyReLU(0.2)]


def generating(a: int, b: int) -> list[nn.Module]:
    return [*convolution(a, b), PixelNorm()]


class Start(nn.Module):
    """Latents (n, z_dim) to maps (n, channels, side, side)."""

    def __init__(self, z_dim: int, channels: int, side: int):
        super().__init__()
        self.shape = (channels, side, side)
        self.dense = EqDense(z_dim, channels * side**2, GAIN / 4, bias=None)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.end = nn.Sequential(nn.LeakyReLU(0.2), PixelNorm())

    def forward(self, z: Tensor) -> Tensor:
        return self.end(self.dense(normalised(z)).unflatten(1, self.shape) + self.bias[:, None, None])


class Generator(Growing):
    """Latents (n, z_dim) to pictures (n, channels, side, side) of any values; `side` grows up to `size`.

    `width` channels at the last size, doubled at each halving of it up to `top`. A size has two convolutions and a
    layer to the picture of its own; while it fades in, its picture is mixed with the one before it, doubled.
    """

    def __init__(self, z_dim: int, width: int, size: int, channels: int, top: int = 512):
        super().__init__(size)
        self.z_dim = z_dim
        counts = channels_of(width, top, size)
        self.start = Start(z_dim, counts[0], self.sizes[0])
        # By the size, so that networks of different last sizes have the same names for the same layers.
        self.blocks = nn.ModuleDict({str(self.sizes[0]): nn.Sequential(*generating(counts[0], counts[0]))})
        for side, (a, b) in zip(self.sizes[1:], itertools.pairwise(counts), strict=True):
            self.blocks[str(side)] = nn.Sequential(Doubled(), *generating(a, b), *generating(b, b))
        self.to_rgb = nn.ModuleDict(
            {str(side): EqConv(b, channels, 1) for side, b in zip(self.sizes, counts, strict=True)}
        )

    def forward(self, z: Tensor) -> Tensor:
        x, maps = self.start(z), []
        for side in self.active:
            maps.append(x := self.blocks[str(side)](x))
        return self.picture(self.to_rgb, maps)


class Discriminator(Growing):
    """Pictures (n, channels, side, side) to logits (n,): the generator's mirror image, without its norm.

    `width` and `top` as there; `group` samples are compared (`MinibatchDeviation`). With `blur` maps are filtered
    before they are halved, and halved before their activation, as StyleGAN's are (Karras et al. 2019). `freeze` of its
    first parts never train: the layer from the picture, then the blocks from the largest size on.
    """

    def __init__(
        self,
        width: int,
        size: int,
        channels: int,
        top: int = 512,
        group: int = 4,
        blur: bool = False,
        freeze: int = 0,
    ):
        super().__init__(size)
        sizes, counts = self.sizes[::-1], channels_of(width, top, size)[::-1]
        last, least = counts[-1], sizes[-1]
        self.from_rgb = nn.ModuleDict(
            {
                str(side): nn.Sequential(EqConv(channels, a, 1, GAIN), nn.LeakyReLU(0.2))
                for side, a in zip(sizes, counts, strict=True)
            }
        )
        self.blocks = nn.ModuleDict(
            {str(side): block(a, b, blur) for side, (a, b) in zip(sizes, itertools.pairwise(counts), strict=False)}
        )
        self.end = nn.Sequential(
            *(MinibatchDeviation(group), *convolution(last + 1, last), nn.Flatten()),
            *(EqDense(last * least**2, last, GAIN), nn.LeakyReLU(0.2), EqDense(last, 1)),
        )
        freeze_first([self.from_rgb[str(size)], *self.blocks.values()], freeze)

    def forward(self, images: Tensor) -> Tensor:
        self.check_side(images)
        *earlier, now = self.active
        x = self.from_rgb[str(now)](images)
        if earlier:
            old = self.from_rgb[str(earlier[-1])](halved(images))
            x = self.mixed(old, self.blocks[str(now)](x))
        for side in earlier[:0:-1]:
            x = self.blocks[str(side)](x)
        return in_float32(self.end, x).squeeze(1)


def block(a: int, b: int, blur: bool) -> nn.Module:
    """Maps (n, a, s, s) to (n, b, s / 2, s / 2)."""
    conv, act = convolution(a, b)
    if blur:
        return nn.Sequential(*convolution(a, a), Blur(padding=1, taps=(1, 2, 1)), conv, nn.AvgPool2d(2), act)
    return nn.Sequential(*convolution(a, a), conv, act, nn.AvgPool2d(2))
