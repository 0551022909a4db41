"""StyleGAN2's pair: a mapping to styles, convolutions that a style scales, residual judging (Karras et al. 2020).

arXiv 1912.04958; the mapping and style mixing are of Karras et al. 2019, arXiv 1812.04948. All of it is plain torch.

Under autocast some parts stay in float32: the mapping, what makes and undoes a style's scale, the sum of the pictures,
and the discriminator's end. bfloat16 needs no more. float16 has a narrow range: only the four largest sizes take it,
styles and weights are scaled to 1 at most there, and what comes out is cut at 256.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.networks.equalised import EqConv, EqDense
from gantrain.networks.fir import Blur, Resample
from gantrain.networks.freezing import freeze_first
from gantrain.networks.labels import check_class
from gantrain.networks.minibatch import MinibatchDeviation
from gantrain.networks.norms import normalised
from gantrain.networks.precision import bounded, in_float16, in_float32, widened
from gantrain.networks.sizes import channels_of, sizes_of

MAPPING_LR = 0.01  # how much slower the mapping learns
W_AVG_MOVE = 0.005  # how far w_avg moves towards the mean of a training pass
HALF_SIZES = 4  # the largest sizes, which float16 is for


class Activation(nn.LeakyReLU):
    """Leaky ReLU of slope 0.2, times sqrt 2, which about keeps the mean square."""

    def __init__(self) -> None:
        super().__init__(0.2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * math.sqrt(2)


class Mapping(nn.Module):
    """Latents (n, z_dim), class numbers (n,) or both to w (n, w_dim), through `layers` slow linear layers."""

    def __init__(self, z_dim: int, w_dim: int, layers: int, classes: int | None = None):
        super().__init__()
        self.classes = classes
        self.embed = EqDense(classes, w_dim) if classes else None
        widths = [z_dim + (w_dim if classes else 0), *[w_dim] * layers]
        of_layers = ((EqDense(a, b, lr=MAPPING_LR), Activation()) for a, b in itertools.pairwise(widths))
        self.layers = nn.Sequential(*itertools.chain.from_iterable(of_layers))

    def forward(self, z: Tensor | None, cond: Tensor | None = None) -> Tensor:
        check_class(cond, self.classes)
        parts = [] if z is None else [normalised(z)]
        if self.embed is not None:
            one_hot = self.embed.weight.new_zeros(cond.shape[0], self.classes).scatter_(1, cond[:, None], 1)
            parts.append(normalised(self.embed(one_hot)))
        return self.layers(torch.cat(parts, 1))


class ModulatedConv(nn.Module):
    """A convolution whose input channels a style scales; outputs are scaled back to deviation 1 by `demodulate`.

    The paper scales the weights of each sample. That is the same as scaling the input by the style and the output by
    what undoes it, with one weight for the batch: so it is done here. `up` doubles the sides by a transposed
    convolution and the filter. Without demodulation styles are divided by the root of the number of inputs.
    """

    def __init__(
        self, inputs: int, outputs: int, w_dim: int, kernel: int = 3, up: bool = False, demodulate: bool = True
    ):
        super().__init__()
        self.demodulate = demodulate
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.style = EqDense(w_dim, inputs, bias=1.0)
        self.blur = Blur(padding=1, gain=4) if up else None

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style = in_float32(self.style, w)
        weight: Tensor = self.weight
        if not self.demodulate:
            style = style / math.sqrt(weight.shape[1])
        elif in_float16(x):  # demodulation makes both scales cancel
            weight = weight / (weight.abs().amax((1, 2, 3), keepdim=True) * math.sqrt(weight[0].numel()))
            style = style / style.abs().amax(1, keepdim=True)
        scaled = x * style.to(x.dtype)[:, :, None, None]
        if self.blur is None:
            made = F.conv2d(scaled, weight, padding=weight.shape[2] // 2)
        else:
            made = self.blur(F.conv_transpose2d(scaled, weight.transpose(0, 1), stride=2))
        if self.demodulate:
            back = in_float32(demodulation, style, weight)
            made = made * back.to(made.dtype)[:, :, None, None]
        return made


def demodulation(style: Tensor, weight: Tensor) -> Tensor:
    """The factors (n, outputs) that give weights (outputs, inputs, k, k), scaled by styles (n, inputs), length 1."""
    return (style.square() @ weight.square().sum((2, 3)).T + 1e-8).rsqrt()


class StyledConv(nn.Module):
    """A modulated convolution, noise of one learnt strength, bias and activation.

    `noise` (n, 1, side, side) is drawn in training; where it is None the layer takes a map of its own that stays.
    """

    map: Tensor

    def __init__(self, inputs: int, outputs: int, w_dim: int, side: int, up: bool = False):
        super().__init__()
        self.conv = ModulatedConv(inputs, outputs, w_dim, up=up)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("map", torch.randn(1, 1, side, side))
        self.act = Activation()

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None = None) -> Tensor:
        made = self.conv(x, w)
        noise = self.strength * (self.map if noise is None else noise)
        return bounded(self.act(made + noise.to(made.dtype) + self.bias.to(made.dtype)[:, None, None]))


class ToRGB(nn.Module):
    """Maps to `channels` values of a picture, of any size: a style scales the maps, nothing squashes the values."""

    def __init__(self, inputs: int, channels: int, w_dim: int):
        super().__init__()
        self.conv = ModulatedConv(inputs, channels, w_dim, kernel=1, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return widened(bounded(self.conv(x, w))) + self.bias[:, None, None]


class GeneratorBlock(nn.Module):
    """Maps (n, a, s, s) to (n, b, 2s, 2s) and what they add to the picture; the first keeps size and has one layer."""

    def __init__(self, a: int, b: int, w_dim: int, side: int, channels: int, first: bool, half: bool):
        super().__init__()
        self.takes_half = half
        layers = [] if first else [StyledConv(a, b, w_dim, side, up=True)]
        self.layers = nn.ModuleList([*layers, StyledConv(b, b, w_dim, side)])
        self.to_rgb = ToRGB(b, channels, w_dim)

    def forward(self, x: Tensor, ws: Sequence[Tensor], noise: Sequence[Tensor | None]) -> tuple[Tensor, Tensor]:
        """`ws` are those of the layers and the picture's."""
        whole = not self.takes_half and in_float16(x)
        with torch.autocast(x.device.type, enabled=False) if whole else nullcontext():
            for layer, w, of_layer in zip(self.layers, ws, noise, strict=False):
                x = layer(x, w, of_layer)
            return x, self.to_rgb(x, ws[-1])


class Synthesis(nn.Module):
    """Styles (n, layers, w_dim) to pictures (n, channels, size, size), whose parts of all sizes are added up.

    There are two layers of w for each size, one for each convolution and one for the last part of the picture; the part
    of a size shares its w with the next size's first convolution. `noise` are maps, one for each of `noise_sides`.
    """

    blocks: Any  # of GeneratorBlock

    def __init__(self, w_dim: int, width: int, size: int, channels: int, top: int):
        super().__init__()
        sizes, counts = sizes_of(size), channels_of(width, top, size)
        self.layers = 2 * len(sizes)
        self.noise_sides = [side for side in sizes for _ in range(2)][1:]
        self.constant = nn.Parameter(torch.randn(counts[0], sizes[0], sizes[0]))
        self.up = Resample(up=True)
        self.blocks = nn.ModuleList(
            GeneratorBlock(
                *(counts[max(i - 1, 0)], counts[i], w_dim, side, channels),
                first=i == 0,
                half=i >= len(sizes) - HALF_SIZES,
            )
            for i, side in enumerate(sizes)
        )

    @property
    def maps(self) -> list[Tensor]:
        """The noise of use, (1, 1, side, side) for each of `noise_sides`."""
        return [layer.map for block in self.blocks for layer in block.layers]

    @property
    def style_weights(self) -> list[Tensor]:
        """The weights (k, w_dim) that make each layer's scales of w: its convolution's, of the last the picture's."""
        convs = [layer.conv for block in self.blocks for layer in block.layers]
        return [conv.style.weight * conv.style.scale for conv in (*convs, self.blocks[-1].to_rgb.conv)]

    def forward(self, ws: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        of_layers, picture = ws.unbind(1), None
        maps = [None] * len(self.noise_sides) if noise is None else noise
        x = self.constant.repeat(ws.shape[0], 1, 1, 1)
        for i, block in enumerate(self.blocks):
            before = max(2 * i - 1, 0)
            x, part = block(x, of_layers[before : 2 * i + 2], maps[before : 2 * i + 1])
            picture = part if picture is None else in_float32(self.up, picture) + part
        return picture


class Generator(nn.Module):
    """Latents (n, z_dim) to pictures (n, channels, size, size) of any values, by way of w (n, w_dim).

    `synthesis_of` makes what turns w into pictures.

    `width` channels at the last size, doubled at each halving of it up to `top`; `mapping` linear layers from z to w.
    With `classes` it takes class numbers (n,) as well.

    In training it gets the inputs that `random_inputs` names. With the chance `mixing` a sample is made of two latents:
    the layers from some place on take `mix`. `cut`, uniform in [0, 1), says whether and from where. `noise0`, `noise1`,
    ... are the noise of the convolutions; in use each takes a map that stays.

    `w_avg` is a running mean of w in training, towards which use may truncate.
    """

    synthesis_of: Callable[..., Any] = Synthesis
    w_avg: Tensor

    def __init__(
        self,
        z_dim: int,
        width: int,
        size: int,
        channels: int,
        w_dim: int | None = None,
        top: int = 512,
        mapping: int = 8,
        mixing: float = 0.9,
        classes: int | None = None,
    ):
        super().__init__()
        w_dim = w_dim or z_dim
        if not 0 <= mixing <= 1:
            raise ValueError(f"mixing is {mixing}, it must be from 0 to 1")
        self.z_dim, self.w_dim, self.mixing, self.classes = z_dim, w_dim, mixing, classes
        self.mapping = Mapping(z_dim, w_dim, mapping, classes)
        self.synthesis = self.synthesis_of(w_dim, width, size, channels, top)
        self.register_buffer("w_avg", torch.zeros(w_dim))

    @property
    def layers(self) -> int:
        """How many layers take a w."""
        return self.synthesis.layers

    @property
    def random_inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """What a training pass takes beside latents: by name whether normal or uniform, and the shape for a sample."""
        mixed = {"mix": ("normal", (self.z_dim,)), "cut": ("uniform", ())} if self.mixing else {}
        return mixed | {f"noise{i}": ("normal", (1, side, side)) for i, side in enumerate(self.synthesis.noise_sides)}

    def styles(
        self, z: Tensor, cond: Tensor | None = None, mix: Tensor | None = None, cut: Tensor | None = None
    ) -> Tensor:
        """The w of each layer, (n, layers, w_dim)."""
        ws = in_float32(self.mapping, z, cond)[:, None].expand(-1, self.layers, -1)
        if mix is None:
            return ws
        other = in_float32(self.mapping, mix, cond)[:, None]
        place = 1 + (cut / self.mixing * (self.layers - 1)).floor()  # from 1 to layers - 1 where it mixes, else beyond
        own = torch.arange(self.layers, device=z.device) < place[:, None]
        return torch.where(own[:, :, None], ws, other)

    def forward(
        self,
        z: Tensor,
        cond: Tensor | None = None,
        mix: Tensor | None = None,
        cut: Tensor | None = None,
        **noise: Tensor,
    ) -> Tensor:
        ws = self.styles(z, cond, mix, cut)
        if self.training:  # the first layer's are never of the other latent
            self.w_avg.lerp_(ws[:, 0].detach().mean(0), W_AVG_MOVE)
        maps = [noise[f"noise{i}"] for i in range(len(self.synthesis.noise_sides))] if noise else None
        return self.synthesis(ws, maps)


class DiscriminatorBlock(nn.Module):
    """Maps (n, a, s, s) to (n, b, s / 2, s / 2): two convolutions and a skip around them."""

    def __init__(self, a: int, b: int, half: bool):
        super().__init__()
        self.takes_half = half
        self.first = nn.Sequential(EqConv(a, a, 3), Activation())
        self.second = nn.Sequential(Blur(padding=2), EqConv(a, b, 3, stride=2, padding=0), Activation())
        self.skip = nn.Sequential(Resample(up=False), EqConv(a, b, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        if not self.takes_half and in_float16(x):
            return in_float32(self.judge, x)
        return self.judge(x)

    def judge(self, x: Tensor) -> Tensor:
        seen = bounded(self.second(bounded(self.first(x))))
        return (seen + self.skip(x)) / math.sqrt(2)


class Discriminator(nn.Module):
    """Pictures (n, channels, size, size) to logits (n,): residual blocks, and at the end how samples differ.

    `width` and `top` as the generator's; `group` samples are compared (`MinibatchDeviation`). With `classes` it takes
    class numbers (n,) as well: the logit is then the inner product with the class' vector, made by `mapping` layers.
    `freeze` of its first parts never train: the layer from the picture, then the blocks from the largest size on.
    """

    def __init__(
        self,
        width: int,
        size: int,
        channels: int,
        top: int = 512,
        group: int = 4,
        mapping: int = 8,
        classes: int | None = None,
        freeze: int = 0,
    ):
        super().__init__()
        self.classes = classes
        sizes, counts = sizes_of(size)[::-1], channels_of(width, top, size)[::-1]
        last = counts[-1]
        self.from_rgb = nn.Sequential(EqConv(channels, counts[0], 1), Activation())
        self.blocks = nn.ModuleList(
            DiscriminatorBlock(a, b, half=i < HALF_SIZES) for i, (a, b) in enumerate(itertools.pairwise(counts))
        )
        self.deviation = MinibatchDeviation(group)
        self.conv = nn.Sequential(EqConv(last + 1, last, 3), Activation())
        self.dense = nn.Sequential(EqDense(last * sizes[-1] ** 2, last), Activation())
        self.head = EqDense(last, last if classes else 1)
        self.mapping = Mapping(0, last, mapping, classes) if classes else None
        freeze_first([self.from_rgb, *self.blocks], freeze)

    def forward(self, images: Tensor, cond: Tensor | None = None) -> Tensor:
        check_class(cond, self.classes)
        x = bounded(self.from_rgb(images))
        for block in self.blocks:
            x = block(x)
        return in_float32(self.judge, x, cond)

    def judge(self, x: Tensor, cond: Tensor | None) -> Tensor:
        x = self.conv(self.deviation(x))
        said = self.head(self.dense(x.flatten(1)))
        if self.mapping is None:
            return said.squeeze(1)
        return (said * self.mapping(None, cond)).sum(1) / math.sqrt(said.shape[1])
