"""Deep convolutional GANs (Radford et al. 2016): noise to pictures and back, for any size."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gantrain.checks import check_whole
from gantrain.networks.critique import Critique, critique
from gantrain.networks.dropout import Dropout
from gantrain.networks.freezing import freeze_first
from gantrain.networks.init import Init, initialise
from gantrain.networks.labels import check_class, with_class
from gantrain.networks.minibatch import minibatch_layers
from gantrain.networks.packing import packed
from gantrain.networks.spectral import bound_spectral_norms

Blocks = Sequence[tuple[float, int]]  # (channels in multiples of width, stride) of each convolution, in order


def doublings(size: int) -> int:
    """How often a map of 4 to 7 pixels doubles until it is `size` wide."""
    return max(1, int(math.log2(size / 4)))


def default_blocks(size: int) -> list[tuple[float, int]]:
    """Stride-2 blocks from `size` down to a 4 to 7 pixel wide map, doubling the width each time."""
    return [(2**i, 2) for i in range(doublings(size))]


def up(a: int, b: int, kernel: int, stride: int, bias: bool) -> nn.Module:
    """A transposed convolution that multiplies the side by `stride` exactly ("same" padding)."""
    if stride == 1 and kernel % 2 == 0:
        return nn.Conv2d(a, b, kernel, padding="same", bias=bias)
    padding = (kernel - stride + 1) // 2
    return nn.ConvTranspose2d(a, b, kernel, stride, padding, output_padding=stride + 2 * padding - kernel, bias=bias)


class Generator(nn.Module):
    """Latents (n, z_dim) to pictures (n, channels, size, size) in (-1, 1).

    A linear stem makes a (stem * width)-channel map, `blocks` are transposed convolutions with batch norm, one more
    with stride `output_stride` and tanh makes the picture. Without `blocks` they mirror the discriminator's. With
    `classes` it takes class numbers (n,) as well, whose one-hot joins the latent.
    """

    def __init__(
        self,
        z_dim: int,
        width: int,
        size: int,
        channels: int,
        stem: float | None = None,
        blocks: Blocks | None = None,
        kernel: int = 4,
        output_stride: int = 1,
        output_kernel: int | None = None,
        slope: float = 0.0,
        bias: bool = False,
        norm_eps: float = 1e-5,
        norm_momentum: float = 0.1,
        classes: int | None = None,
        init: Init = "dcgan",
    ):
        super().__init__()
        down = default_blocks(size)
        blocks = [(m / 2, s) for m, s in reversed(down)] if blocks is None else list(blocks)
        stem = down[-1][0] if stem is None else stem
        stride = math.prod(stride for _, stride in blocks) * output_stride
        if size % stride:
            below = size // stride * stride
            fits = f"take {below + stride}" + (f" or {below}" if below else "")
            raise ValueError(f"size {size} is no multiple of {stride}, the product of the generator's strides; {fits}")
        base, features = size // stride, round(stem * width)
        self.z_dim, self.classes = z_dim, classes

        def activation() -> nn.Module:
            return nn.LeakyReLU(slope) if slope else nn.ReLU()

        def norm(kind: type[nn.Module], n: int) -> nn.Module:
            return kind(n, eps=norm_eps, momentum=norm_momentum)

        flat = features * base * base
        layers: list[nn.Module] = [
            nn.Linear(z_dim + (classes or 0), flat, bias=bias),
            norm(nn.BatchNorm1d, flat),
            activation(),
            nn.Unflatten(1, (features, base, base)),
        ]
        for multiple, stride in blocks:
            a, features = features, round(multiple * width)
            layers += [up(a, features, kernel, stride, bias), norm(nn.BatchNorm2d, features), activation()]
        layers += [up(features, channels, output_kernel or kernel, output_stride, bias), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        initialise(self, init)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.layers(with_class(z, cond, self.classes))


class Discriminator(nn.Module):
    """Pictures (n, channels, size, size) to logits (n,).

    `blocks` are convolutions with leaky ReLU; `norm` puts batch norm after all of them but the first, or with
    `norm_first` after all; never use it with a gradient penalty. `spectral` bounds every layer's spectral norm. With
    `features` it gives a Critique, whose features are the outputs of the leaky ReLUs. With `classes` it takes class
    numbers (n,) as well, whose one-hot joins the channels, the same at every pixel; with `projection` the inner product
    of the last layer's output with the class' vector joins the logit instead (Miyato and Koyama 2018), which costs
    hardly anything. With `auxiliary` a second head says so many numbers of each picture, the Critique's `auxiliary`.
    With `pack` it judges so many pictures together, and gives a logit for each pack. `minibatch` shows the first head
    how samples of a batch differ (`minibatch_layers`). `freeze` of its first blocks never train.
    """

    def __init__(
        self,
        width: int,
        size: int,
        channels: int,
        blocks: Blocks | None = None,
        kernel: int = 4,
        slope: float = 0.2,
        dropout: float = 0.0,
        norm: bool = False,
        norm_first: bool = False,
        norm_eps: float = 1e-5,
        norm_momentum: float = 0.1,
        spectral: bool = False,
        features: bool = False,
        classes: int | None = None,
        projection: bool = False,
        auxiliary: int | None = None,
        pack: int = 1,
        minibatch: Mapping[str, Any] | None = None,
        freeze: int = 0,
        init: Init = "dcgan",
    ):
        super().__init__()
        check_whole(1, pack=pack)
        if projection and classes and pack > 1:
            raise ValueError(
                f"projection adds the class of one picture, but pack={pack} judges several together; take pack=1, or "
                f"no classes with models.classes=null"
            )
        self.gives_features, self.classes, self.pack = features, classes, pack
        blocks = default_blocks(size) if blocks is None else list(blocks)
        layers: list[nn.Module] = []
        b = channels = (channels + (0 if projection else classes or 0)) * pack
        for i, (multiple, stride) in enumerate(blocks):
            a, b = b, round(multiple * width)
            same = "same" if stride == 1 else (kernel - 1) // 2
            layers.append(nn.Conv2d(a, b, kernel, stride, same))
            if norm and (i > 0 or norm_first):
                layers.append(nn.BatchNorm2d(b, eps=norm_eps, momentum=norm_momentum))
            layers.append(nn.LeakyReLU(slope))
            if dropout:
                layers.append(Dropout(dropout))
        self.features = nn.Sequential(*layers)
        with torch.no_grad():
            flat = self.features.eval()(torch.zeros(1, channels, size, size)).numel()
        self.train()
        beside, judged = minibatch_layers(minibatch, flat)
        self.minibatch = nn.Sequential(*beside)
        self.head = nn.Linear(judged, 1)
        self.auxiliary = nn.Linear(flat, auxiliary) if auxiliary else None
        self.embed = nn.Embedding(classes, flat) if projection and classes else None
        if self.embed is not None:  # what it adds begins as large as what it multiplies
            nn.init.normal_(self.embed.weight, 0.0, flat**-0.5)
        initialise(self, init)
        if spectral:
            bound_spectral_norms(self)
        starts = [i for i, layer in enumerate(self.features) if isinstance(layer, nn.Conv2d)]
        freeze_first([self.features[i:j] for i, j in itertools.pairwise([*starts, len(self.features)])], freeze)

    def forward(self, images: Tensor, cond: Tensor | None = None) -> Tensor | Critique:
        if self.embed is None:
            images = with_class(images, cond, self.classes)
        else:
            check_class(cond, self.classes)
        seen, maps = [], packed(images, self.pack)
        for layer in self.features:
            maps = layer(maps)
            if self.gives_features and isinstance(layer, nn.LeakyReLU):
                seen.append(maps)
        flat = maps.flatten(1)
        logits = self.head(self.minibatch(flat)).squeeze(1)
        if self.embed is not None:
            logits = logits + (self.embed(cond) * flat).sum(1)
        return critique(logits, seen if self.gives_features else (), self.auxiliary, flat)
