"""The residual pair of SNGAN (Miyato et al. 2018, arXiv 1802.05957, appendix B.4).

With classes it is that of Miyato and Koyama 2018 (arXiv 1802.05637), with attention SAGAN's (Zhang et al. 2019, arXiv
1805.08318).
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.networks.attention import SelfAttention
from gantrain.networks.critique import Critique
from gantrain.networks.dcgan import doublings
from gantrain.networks.growing import doubled
from gantrain.networks.labels import check_class
from gantrain.networks.minibatch import minibatch_layers
from gantrain.networks.norms import ConditionalBatchNorm2d
from gantrain.networks.spectral import bound_spectral_norms


def default_widths(size: int) -> list[float]:
    """Multiples of the width from the large maps to the small ones: 1 below 64 pixels, else doubling, up to 16."""
    return [1 if size < 64 else min(2**i, 16) for i in range(doublings(size) + 1)]


def glorot(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> nn.Module:
    nn.init.xavier_uniform_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def conv(a: int, b: int, kernel: int, gain: float) -> nn.Module:
    return glorot(nn.Conv2d(a, b, kernel, padding="same"), gain)


class UpBlock(nn.Module):
    """Maps (n, a, h, w) to (n, b, 2h, 2w)."""

    def __init__(self, a: int, b: int, classes: int | None):
        super().__init__()
        self.norms = nn.ModuleList(ConditionalBatchNorm2d(c, classes) for c in (a, b))
        self.convs = nn.ModuleList([conv(a, b, 3, 2**0.5), conv(b, b, 3, 2**0.5)])
        self.shortcut = conv(a, b, 1, 1.0)

    def forward(self, x: Tensor, cond: Tensor | None) -> Tensor:
        made = self.convs[0](doubled(F.relu(self.norms[0](x, cond))))
        made = self.convs[1](F.relu(self.norms[1](made, cond)))
        return made + doubled(self.shortcut(x))  # a 1x1 convolution commutes with copying pixels


class DownBlock(nn.Module):
    """Maps (n, a, h, w) to (n, b, h, w), halved with `pool`. The `first` block gets pictures, which no ReLU may cut."""

    def __init__(self, a: int, b: int, hidden: int, pool: bool, first: bool = False):
        super().__init__()
        self.first, self.pool = first, pool
        self.convs = nn.ModuleList([conv(a, hidden, 3, 2**0.5), conv(hidden, b, 3, 2**0.5)])
        self.shortcut = conv(a, b, 1, 1.0) if pool or a != b else None

    def forward(self, x: Tensor) -> Tensor:
        made = self.convs[0](x if self.first else F.relu(x))
        made = self.convs[1](F.relu(made))
        if self.shortcut is None:
            return x + made
        if self.pool:
            made, x = F.avg_pool2d(made, 2), F.avg_pool2d(x, 2)  # the mean and a 1x1 convolution commute as well
        return made + self.shortcut(x)


class Generator(nn.Module):
    """Latents (n, z_dim) to pictures (n, channels, size, size) in (-1, 1).

    A linear stem, then a residual block with batch norm for every doubling. `widths` are multiples of `width`: of the
    stem, then of each block. With `classes` it takes class numbers (n,) as well, each with gains and biases of its own
    (conditional batch norm). `spectral` bounds every layer's spectral norm; `attention` names the side of the map that
    self-attention follows.
    """

    def __init__(
        self,
        z_dim: int,
        width: int,
        size: int,
        channels: int,
        widths: Sequence[float] | None = None,
        classes: int | None = None,
        spectral: bool = False,
        attention: int | None = None,
    ):
        super().__init__()
        counts = [round(m * width) for m in (widths or reversed(default_widths(size)))]
        stride = 2 ** (len(counts) - 1)
        if size % stride:
            raise ValueError(f"size {size} is no multiple of {stride}: widths has {len(counts) - 1} doublings")
        self.z_dim, self.classes, self.side = z_dim, classes, size // stride
        self.stem = glorot(nn.Linear(z_dim, counts[0] * self.side**2))
        self.blocks = nn.ModuleList(UpBlock(a, b, classes) for a, b in itertools.pairwise(counts))
        sides = [self.side * 2 ** (i + 1) for i in range(len(self.blocks))]
        self.attend = attending(counts[1:], sides, attention)
        self.norm = nn.BatchNorm2d(counts[-1])
        self.picture = conv(counts[-1], channels, 3, 1.0)
        if spectral:
            bound_spectral_norms(self)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        check_class(cond, self.classes)
        maps = self.stem(z).unflatten(1, (-1, self.side, self.side))
        for block, attend in zip(self.blocks, self.attend, strict=True):
            maps = attend(block(maps, cond))
        return self.picture(F.relu(self.norm(maps))).tanh()


class Discriminator(nn.Module):
    """Pictures (n, channels, size, size) to logits (n,).

    Residual blocks without a norm, the first `pools` of which halve the map; then the sum over all places and one
    linear layer, which has a bias in the sources' networks for 64 pixels and more (`head_bias`). `widths` are multiples
    of `width`. Within a block the channels are those of its input or its output, as `hidden` says. With `classes` it
    takes class numbers (n,) as well, and adds the inner product of what it sees with the class' vector (projection).
    With `features` it gives a Critique with the blocks' outputs. `minibatch` shows the linear layer how samples of a
    batch differ (`minibatch_layers`).
    """

    def __init__(
        self,
        width: int,
        size: int,
        channels: int,
        widths: Sequence[float] | None = None,
        pools: int | None = None,
        hidden: Literal["input", "output"] = "input",
        classes: int | None = None,
        spectral: bool = True,
        attention: int | None = None,
        head_bias: bool = False,
        features: bool = False,
        minibatch: Mapping[str, Any] | None = None,
    ):
        super().__init__()
        self.classes, self.gives_features = classes, features
        if widths is None:
            widths = default_widths(size) if size >= 64 else [1] * 4
            pools = (len(widths) if size >= 64 else 2) if pools is None else pools
        pools = len(widths) if pools is None else pools
        if size >> pools < 1:
            raise ValueError(f"pools is {pools}, which leaves nothing of {size} pixels")
        outs = [round(m * width) for m in widths]
        self.blocks = nn.ModuleList()
        for i, (a, b) in enumerate(zip([channels, *outs], outs, strict=False)):
            inner = b if hidden == "output" or i == 0 else a
            self.blocks.append(DownBlock(a, b, inner, pool=i < pools, first=i == 0))
        sides = [size >> min(i + 1, pools) for i in range(len(outs))]
        self.attend = attending(outs, sides, attention)
        beside, judged = minibatch_layers(minibatch, outs[-1])
        self.minibatch = nn.Sequential(*beside)
        self.head = glorot(nn.Linear(judged, 1, bias=head_bias))
        self.embed = nn.Embedding(classes, outs[-1]) if classes else None
        if self.embed is not None:
            nn.init.xavier_uniform_(self.embed.weight)
        if spectral:
            bound_spectral_norms(self)

    def forward(self, images: Tensor, cond: Tensor | None = None) -> Tensor | Critique:
        check_class(cond, self.classes)
        maps, seen = images, []
        for block, attend in zip(self.blocks, self.attend, strict=True):
            maps = attend(block(maps))
            seen.append(maps)
        found = F.relu(maps).sum((2, 3))
        logits = self.head(self.minibatch(found)).squeeze(1)
        if self.embed is not None:
            logits = logits + (self.embed(cond) * found).sum(1)
        return Critique(logits, seen) if self.gives_features else logits


def attending(widths: Sequence[int], sides: Sequence[int], side: int | None) -> nn.ModuleList:
    """Self-attention after the first map of `side` pixels, nothing after the others. Raises ValueError without one."""
    if side is not None and side not in sides:
        raise ValueError(f"attention is {side}, but the blocks make maps of {', '.join(map(str, sides))}")
    at = None if side is None else sides.index(side)
    return nn.ModuleList(SelfAttention(width) if i == at else nn.Identity() for i, width in enumerate(widths))
