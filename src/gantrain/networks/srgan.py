"""SRGAN (Ledig et al. 2017): a picture several times larger, and a critic that judges it patch by patch."""

import math
from collections.abc import Mapping
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.networks.init import Init, initialise
from gantrain.networks.minibatch import minibatch_layers

DEPTHS = ((1, 1), (1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (8, 1), (8, 2))  # channels in multiples of width, stride


class Residual(nn.Module):
    """The input plus what two 3x3 convolutions make of it.

    `norm` is batch norm `before` the activation (the paper), `after` it, or `none`.
    """

    def __init__(self, width: int, activation: type[nn.Module], norm: str, **options: Any):
        super().__init__()

        def normed() -> list[nn.Module]:
            return [] if norm == "none" else [nn.BatchNorm2d(width, **options)]

        middle = [*normed(), activation()] if norm == "before" else [activation(), *normed()]
        convs = [nn.Conv2d(width, width, 3, padding=1) for _ in range(2)]
        self.layers = nn.Sequential(convs[0], *middle, convs[1], *normed())

    def forward(self, features: Tensor) -> Tensor:
        return features + self.layers(features)


class Blur(nn.Module):
    """Each pixel's mean with those above and left of it, three or at an edge fewer (Sugawara et al. 2018).

    Without padding by copies, whose gradient has no fixed order of sums on a GPU.
    """

    def forward(self, features: Tensor) -> Tensor:
        return F.avg_pool2d(features, 2, stride=1, padding=1, count_include_pad=False)[..., :-1, :-1]


class Generator(nn.Module):
    """Pictures (n, channels, h, w) in [-1, 1] to (n, channels, scale * h, scale * w) in [-1, 1], for any h and w.

    Residual blocks at the low resolution, then for each factor of two an upsampling: `shuffle` rearranges four times
    `width` channels into pixels (Shi et al. 2016), `nearest` repeats pixels before its convolution. With `blur` each
    shuffle is followed by a mean over 2 x 2 pixels (Sugawara et al. 2018): a flat picture then stays flat whatever the
    weights are, while without it each of the pixels that one low pixel becomes has weights of its own.
    `skip` adds the bicubic enlargement (as Kim et al. 2016), which it starts from exactly; instead of tanh the sum is
    then left open, since a limit on the sum would bend the enlargement itself.
    """

    def __init__(
        self,
        width: int,
        channels: int,
        scale: Literal[2, 4, 8],
        blocks: int = 16,
        upsampler: Literal["shuffle", "nearest"] = "shuffle",
        activation: Literal["prelu", "relu"] = "prelu",
        norm: Literal["before", "after", "none"] = "before",
        norm_eps: float = 1e-5,
        norm_momentum: float = 0.1,
        skip: bool = False,
        init: Init = "torch",
        blur: bool = False,
    ):
        super().__init__()
        if blur and upsampler != "shuffle":
            raise ValueError(f"blur follows a pixel shuffle, and upsampler is {upsampler}; choose shuffle")
        if blocks < 1:
            raise ValueError(f"blocks is {blocks}, it must be 1 or more")
        self.scale = scale
        kind = nn.PReLU if activation == "prelu" else nn.ReLU
        self.first = nn.Sequential(nn.Conv2d(channels, width, 9, padding=4), kind())
        options: dict[str, Any] = {"eps": norm_eps, "momentum": norm_momentum}
        last_norm = [] if norm == "none" else [nn.BatchNorm2d(width, **options)]
        self.body = nn.Sequential(
            *(Residual(width, kind, norm, **options) for _ in range(blocks)),
            nn.Conv2d(width, width, 3, padding=1),
            *last_norm,
        )
        up: list[nn.Module] = []
        blurs = [Blur()] if blur else []
        features = width
        for _ in range(int(math.log2(scale))):
            if upsampler == "shuffle":
                up += [nn.Conv2d(features, 4 * width, 3, padding=1), nn.PixelShuffle(2), kind(), *blurs]
            else:
                up += [nn.Upsample(scale_factor=2), nn.Conv2d(features, 4 * width, 3, padding=1), kind()]
                features = 4 * width
        self.up = nn.Sequential(*up)
        self.last = nn.Conv2d(features, channels, 9, padding=4)
        self.skip = skip
        initialise(self, init)
        if skip:
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)
        # How far, in pixels of the low picture, an output pixel sees: each upsampling's convolution reaches half of the
        # one before, and its blur one of its own pixels. Tiles that overlap by it join without a seam.
        self.reach = 4 + 2 * blocks + 1 + math.ceil(2 + 4 / scale + blur * (1 - 1 / scale))

    def forward(self, low: Tensor) -> Tensor:
        first = self.first(low)
        out = self.last(self.up(first + self.body(first)))
        if not self.skip:
            return torch.tanh(out)
        return out + F.interpolate(low, scale_factor=self.scale, mode="bicubic", antialias=True)


class Discriminator(nn.Module):
    """Pictures (n, channels, h, w) to a map of logits (n, h / 16, w / 16), or with `size`, which is h and w, to (n,).

    Eight 3x3 convolutions, then two dense layers: at every location of the map (a patch critic), or with `size` on the
    whole flattened map, as the paper has it. All convolutions but the first have batch norm, `before` the activation
    (the paper, or true), `after` it, or `none` (or false). `minibatch` shows the dense layers how samples of a batch
    differ (`minibatch_layers`).
    """

    def __init__(
        self,
        width: int,
        channels: int,
        size: int | None = None,
        norm: Literal["before", "after", "none"] | bool = "before",
        norm_eps: float = 1e-5,
        norm_momentum: float = 0.1,
        slope: float = 0.2,
        minibatch: Mapping[str, Any] | None = None,
        init: Init = "torch",
    ):
        super().__init__()
        if size is not None and size % 16:
            raise ValueError(f"size is {size}, it must be a multiple of 16")
        layers: list[nn.Module] = []
        features = channels
        for i, (multiple, stride) in enumerate(DEPTHS):
            before, features = features, multiple * width
            normed: list[nn.Module] = [nn.LeakyReLU(slope)]
            if norm not in (False, "none") and i > 0:
                batch_norm = nn.BatchNorm2d(features, eps=norm_eps, momentum=norm_momentum)
                normed.insert(1 if norm == "after" else 0, batch_norm)
            layers += [nn.Conv2d(before, features, 3, stride, 1), *normed]
        self.features = nn.Sequential(*layers)
        dense = 16 * width
        beside, features = minibatch_layers(minibatch, features, maps=True)
        self.head = nn.Sequential(
            *beside,
            *[nn.Conv2d(features, dense, 1 if size is None else size // 16), nn.LeakyReLU(slope)],
            nn.Conv2d(dense, 1, 1),
        )
        self.whole = size is not None
        initialise(self, init)

    def forward(self, images: Tensor) -> Tensor:
        logits = self.head(self.features(images)).squeeze(1)
        return logits.flatten(1).squeeze(1) if self.whole else logits
