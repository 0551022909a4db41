"""The pair of R3GAN: residual blocks with grouped convolutions and no norm (Huang et al. 2024, arXiv 2501.05441)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gantrain.networks.dcgan import doublings
from gantrain.networks.fir import Resample
from gantrain.networks.labels import check_class
from gantrain.networks.minibatch import minibatch_layers

GROUP = 16  # channels of a group of the 3x3 convolutions
GAIN = math.sqrt(2 / (1 + 0.2**2))  # that keeps the variance through a leaky ReLU of slope 0.2
EMBEDDING = 64  # numbers of a class beside the latent


def scaled(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> nn.Module:
    """Weights N(0, gain^2 / fan_in), biases 0."""
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class Block(nn.Module):
    """Maps of `width` channels plus what three convolutions add: to twice the width, grouped 3x3, and back.

    The last begins at 0, so the block begins as the identity. `blocks` are all of the network: the gain of the other
    two falls with their number, so that the sum's variance stays.
    """

    def __init__(self, width: int, blocks: int):
        super().__init__()
        wide, gain = 2 * width, GAIN * blocks**-0.25
        self.layers = nn.Sequential(
            *(scaled(nn.Conv2d(width, wide, 1), gain), nn.LeakyReLU(0.2)),
            *(scaled(nn.Conv2d(wide, wide, 3, padding=1, groups=wide // GROUP), gain), nn.LeakyReLU(0.2)),
            scaled(nn.Conv2d(wide, width, 1, bias=False), 0.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def channels_of(width: int, widths: Sequence[float] | None, size: int) -> list[int]:
    """The channels from the large maps to the small ones, multiples of 8: twice as many make whole groups."""
    widths = [1] * (doublings(size) + 1) if widths is None else widths
    if not widths:
        raise ValueError("widths is an empty list, it has a number for each map; null takes the usual ones")
    if size % 2 ** (len(widths) - 1):
        raise ValueError(f"size {size} does not halve {len(widths) - 1} times, as widths says")
    return [max(8, 8 * round(m * width / 8)) for m in widths]


def changed(a: int, b: int) -> list[nn.Module]:
    return [scaled(nn.Conv2d(a, b, 1, bias=False))] if a != b else []


class Generator(nn.Module):
    """Latents (n, z_dim) to pictures (n, channels, size, size) of any values: nothing squashes them.

    It begins with learnt maps, one per channel, times a linear function of the latent. `blocks` for every size;
    `widths` are multiples of `width` from the largest map to the smallest. With `classes` it takes class numbers (n,)
    as well, whose vector joins the latent.
    """

    def __init__(
        self,
        z_dim: int,
        width: int,
        size: int,
        channels: int,
        widths: Sequence[float] | None = None,
        blocks: int = 2,
        classes: int | None = None,
    ):
        super().__init__()
        self.z_dim, self.classes = z_dim, classes
        counts = channels_of(width, widths, size)[::-1]
        side, all_blocks = size >> (len(counts) - 1), blocks * len(counts)
        self.basis = nn.Parameter(torch.randn(counts[0], side, side))
        self.embed = nn.Embedding(classes, EMBEDDING) if classes else None
        self.stem = scaled(nn.Linear(z_dim + (EMBEDDING if classes else 0), counts[0], bias=False))
        layers: list[nn.Module] = []
        for i, b in enumerate(counts):
            if i > 0:  # the 1x1 convolution commutes with the filter, and costs less before it
                layers += [*changed(counts[i - 1], b), Resample(up=True)]
            layers += [Block(b, all_blocks) for _ in range(blocks)]
        self.layers = nn.Sequential(*layers, scaled(nn.Conv2d(counts[-1], channels, 1, bias=False)))

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        check_class(cond, self.classes)
        if self.embed is not None:
            z = torch.cat([z, self.embed(cond)], 1)
        return self.layers(self.stem(z)[:, :, None, None] * self.basis)


class Discriminator(nn.Module):
    """Pictures (n, channels, size, size) to logits (n,): the generator's way back.

    It ends with one number for every channel and a linear layer. With `classes` it takes class numbers (n,) as well:
    the logit is then the inner product of what it sees with the class' vector. `minibatch` shows the linear layer how
    samples of a batch differ (`minibatch_layers`).
    """

    def __init__(
        self,
        width: int,
        size: int,
        channels: int,
        widths: Sequence[float] | None = None,
        blocks: int = 2,
        classes: int | None = None,
        minibatch: Mapping[str, Any] | None = None,
    ):
        super().__init__()
        self.classes = classes
        counts = channels_of(width, widths, size)
        side, last, all_blocks = size >> (len(counts) - 1), counts[-1], blocks * len(counts)
        layers: list[nn.Module] = [scaled(nn.Conv2d(channels, counts[0], 1, bias=False))]
        for i, a in enumerate(counts):
            layers += [Block(a, all_blocks) for _ in range(blocks)]
            if i + 1 < len(counts):
                layers += [Resample(up=False), *changed(a, counts[i + 1])]
        layers.append(scaled(nn.Conv2d(last, last, side, groups=last, bias=False)))
        self.layers = nn.Sequential(*layers, nn.Flatten())
        beside, judged = minibatch_layers(minibatch, last)
        self.minibatch = nn.Sequential(*beside)
        self.head = scaled(nn.Linear(judged, last if classes else 1, bias=False))
        self.embed = nn.Embedding(classes, last) if classes else None
        if self.embed is not None:  # logits begin with variance 1
            nn.init.normal_(self.embed.weight, 0.0, last**-0.5)

    def forward(self, images: Tensor, cond: Tensor | None = None) -> Tensor:
        check_class(cond, self.classes)
        found = self.head(self.minibatch(self.layers(images)))
        return found.squeeze(1) if self.embed is None else (self.embed(cond) * found).sum(1)
