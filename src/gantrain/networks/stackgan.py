"""StackGAN's two pairs (Zhang et al. 2017, arXiv 1612.03242): texts to small pictures, these to larger ones."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from gantrain.checks import check_whole
from gantrain.networks.init import Init, initialise
from gantrain.networks.minibatch import minibatch_layers

BASE = 4  # pixels of the smallest map
LOW = 16  # pixels of the map into which stage II brings a small picture

Norm = Literal["batch", "none"]


class Augmentation(nn.Module):
    """Conditioning augmentation: of an embedding (n, features) the mean and log deviation (n, cond) of a normal.

    With `activation: leaky` the numbers are those of the paper's TensorFlow code, which also bends mean and deviation.
    """

    def __init__(self, features: int, cond: int):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, 2 * cond), nn.LeakyReLU(0.2))

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        return self.layers(embedding).chunk(2, 1)


class Conditioned(nn.Module):
    """A generator of pictures of a text; `cond_dim` normal numbers `eps` of its own vary what it makes of one."""

    def __init__(self, text: int, cond_dim: int):
        super().__init__()
        check_whole(1, text=text, cond_dim=cond_dim)
        self.cond_dim, self.augmentation = cond_dim, Augmentation(text, cond_dim)

    def condition(self, embedding: Tensor, eps: Tensor) -> Tensor:
        mean, log_deviation = self.augmentation(embedding)
        return mean + log_deviation.exp() * eps


class LowGenerator(Conditioned):
    """Stage I: noise (n, z_dim), an embedding (n, text) and eps (n, cond_dim) to pictures (n, channels, size, size).

    A linear stem makes a map of (stem * width) channels and 4 pixels; each of `blocks` doubles its side, in multiples
    of `width`; with `last_up` the convolution that makes the picture doubles it once more. `residual` puts a residual
    block behind the stem and behind the first of `blocks`, `stem_norm` batch norm on each number of the stem: both are
    the paper's TensorFlow code. Without them, and without `last_up`, it is the one of GAN Projects.
    """

    def __init__(
        self,
        z_dim: int,
        cond_dim: int,
        text: int,
        width: int,
        size: int,
        channels: int,
        stem: float = 8,
        blocks: Sequence[float] | None = None,
        residual: bool = False,
        stem_norm: bool = True,
        last_up: bool = True,
        init: Init = "dcgan",
    ):
        super().__init__(text, cond_dim)
        doubled = size.bit_length() - BASE.bit_length()
        blocks = [stem / 2**i for i in range(1, doubled + (not last_up))] if blocks is None else list(blocks)
        if size != BASE << len(blocks) + last_up:
            raise ValueError(f"size is {size}, but {len(blocks)} blocks make {BASE << len(blocks) + last_up}")
        self.z_dim, features = z_dim, round(stem * width)
        flat = features * BASE * BASE
        layers: list[nn.Module] = [nn.Linear(cond_dim + z_dim, flat, bias=stem_norm)]
        if stem_norm:
            layers.append(nn.BatchNorm1d(flat))
        layers += [nn.ReLU()] if not residual else []
        layers.append(nn.Unflatten(1, (features, BASE, BASE)))
        layers += [Residual(features, features // 4)] if residual else []
        for number, multiple in enumerate(blocks):
            a, features = features, round(multiple * width)
            bends = not (residual and number == 0)  # a residual block ends in its own
            layers += [up(a, features), nn.BatchNorm2d(features), *([nn.ReLU()] if bends else [])]
            layers += [] if bends else [Residual(features, features // 4)]
        layers += [up(features, channels) if last_up else conv3(features, channels), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        initialise(self, init)

    def forward(self, z: Tensor, embedding: Tensor, eps: Tensor) -> Tensor:
        return self.layers(torch.cat([self.condition(embedding, eps), z], 1))


class HighGenerator(Conditioned):
    """Stage II: pictures (n, channels, low, low), an embedding and eps to pictures (n, channels, size, size).

    A small picture is brought to 16 pixels, joined by the condition at every pixel, refined by `residuals` blocks and
    doubled until it is `size` wide. `bias` gives the residual blocks' convolutions one, as GAN Projects does; `top` are
    the channels of the first doubled map in multiples of `width`, 2 in the paper's code and 4 in the book.
    """

    def __init__(
        self,
        cond_dim: int,
        text: int,
        width: int,
        low: int,
        size: int,
        channels: int,
        residuals: int = 4,
        top: float = 2,
        bias: bool = False,
        init: Init = "dcgan",
    ):
        super().__init__(text, cond_dim)
        check_whole(0, residuals=residuals)
        downs, ups = low.bit_length() - LOW.bit_length(), size.bit_length() - LOW.bit_length()
        if low != LOW << max(0, downs) or size != LOW << max(1, ups):
            raise ValueError(f"low is {low} and size {size}: both must be 16 times a power of two, size above 16")
        layers: list[nn.Module] = [conv3(channels, width), nn.ReLU()]
        features = width
        for _ in range(downs):
            a, features = features, 2 * features
            layers += [nn.Conv2d(a, features, 4, 2, 1, bias=False), nn.BatchNorm2d(features), nn.ReLU()]
        self.look = nn.Sequential(*layers)
        layers = [conv3(features + cond_dim, features), nn.BatchNorm2d(features), nn.ReLU()]
        layers += [Refinement(features, bias) for _ in range(residuals)]
        for i in range(ups):
            a, features = features, round(top * width / 2**i)
            layers += [up(a, features), nn.BatchNorm2d(features), nn.ReLU()]
        self.make = nn.Sequential(*layers, conv3(features, channels), nn.Tanh())
        initialise(self, init)

    def forward(self, low: Tensor, embedding: Tensor, eps: Tensor) -> Tensor:
        return self.make(with_text(self.look(low), self.condition(embedding, eps)))


class Discriminator(nn.Module):
    """Pictures (n, channels, size, size) and embeddings (n, text) to logits (n,): real and of this text, or not.

    Convolutions halve a picture until its map is 4 pixels wide, doubling their channels from `width`; maps of more than
    `top` * width channels are brought back to these. `residual` puts a residual block there. The text, through a layer
    of its own, joins at every place of the map. `head: dense` sees the whole map and gives the joint convolution a
    bias (GAN Projects). `norm: none` goes with a gradient penalty. `minibatch` shows the last layer how samples of a
    batch differ (`minibatch_layers`).
    """

    def __init__(
        self,
        text: int,
        width: int,
        size: int,
        channels: int,
        text_dim: int = 128,
        top: float = 8,
        residual: bool = False,
        head: Literal["conv", "dense"] = "conv",
        norm: Norm = "batch",
        minibatch: Mapping[str, Any] | None = None,
        init: Init = "dcgan",
    ):
        super().__init__()
        check_whole(1, text=text, text_dim=text_dim)
        downs = size.bit_length() - BASE.bit_length()
        if size != BASE << downs or downs < 1:
            raise ValueError(f"size is {size}, it must be 4 times a power of two, 8 or more")
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1, bias=norm == "none"), nn.LeakyReLU(0.2)]
        features, most = width, round(top * width)
        for _ in range(downs - 1):
            a, features = features, 2 * features
            layers += judged(nn.Conv2d(a, features, 4, 2, 1, bias=norm == "none"), norm)
        while features > most:
            a, features = features, features // 2
            layers += judged(nn.Conv2d(a, features, 1, bias=norm == "none"), norm)
        if residual:
            layers = [*layers[:-1], Residual(features, features // 4, slope=0.2)]
        self.look = nn.Sequential(*layers)
        self.text = nn.Sequential(nn.Linear(text, text_dim), nn.LeakyReLU(0.2))
        dense = head == "dense"
        joint = nn.Conv2d(features + text_dim, features, 1, bias=dense or norm == "none")
        beside, seen = minibatch_layers(minibatch, features, maps=True)
        last = [nn.Flatten(), nn.Linear(seen * BASE**2, 1)]
        last = last if dense else [nn.Conv2d(seen, 1, BASE, bias=norm == "none"), nn.Flatten()]
        self.head = nn.Sequential(*judged(joint, norm), *beside, *last)
        initialise(self, init)

    def forward(self, pictures: Tensor, embedding: Tensor) -> Tensor:
        return self.head(with_text(self.look(pictures), self.text(embedding))).squeeze(1)


class Residual(nn.Module):
    """A bottleneck beside its input, which both come of one more nonlinearity (He et al. 2016, arXiv 1512.03385)."""

    def __init__(self, channels: int, inner: int, slope: float = 0.0):
        super().__init__()
        layers: list[nn.Module] = []
        for a, b, kernel in ((channels, inner, 1), (inner, inner, 3), (inner, channels, 3)):
            layers += [nn.Conv2d(a, b, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(b), bend(slope)]
        self.layers, self.bend = nn.Sequential(*layers[:-1]), bend(slope)

    def forward(self, x: Tensor) -> Tensor:
        return self.bend(x + self.layers(x))


class Refinement(nn.Module):
    """Two convolutions beside their input."""

    def __init__(self, channels: int, bias: bool):
        super().__init__()
        convolutions = [nn.Conv2d(channels, channels, 3, padding=1, bias=bias) for _ in range(2)]
        norms = [nn.BatchNorm2d(channels) for _ in range(2)]
        self.layers = nn.Sequential(convolutions[0], norms[0], nn.ReLU(), convolutions[1], norms[1])
        self.bend = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.bend(x + self.layers(x))


def bend(slope: float) -> nn.Module:
    return nn.LeakyReLU(slope) if slope else nn.ReLU()


def judged(convolution: nn.Conv2d, norm: Norm) -> list[nn.Module]:
    """A convolution of a discriminator with what follows it."""
    normalised = [nn.BatchNorm2d(convolution.out_channels)] if norm == "batch" else []
    return [convolution, *normalised, nn.LeakyReLU(0.2)]


def conv3(a: int, b: int) -> nn.Module:
    return nn.Conv2d(a, b, 3, padding=1, bias=False)


def up(a: int, b: int) -> nn.Module:
    """Every pixel four times, then a convolution: no checkerboard."""
    return nn.Sequential(nn.Upsample(scale_factor=2), conv3(a, b))


def with_text(maps: Tensor, text: Tensor) -> Tensor:
    """Maps (n, c, h, w) and the numbers of a text (n, d), the same at every place, as (n, c + d, h, w)."""
    return torch.cat([maps, text[:, :, None, None].expand(-1, -1, *maps.shape[2:])], 1)
