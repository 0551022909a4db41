"""StyleGAN's generator: styles that set the mean and deviation of every map (Karras et al. 2019, arXiv 1812.04948).

Its mapping and mixing are StyleGAN2's, its growing is PGGAN's, whose discriminator with `blur` is its own.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.networks import stylegan2
from gantrain.networks.equalised import EqConv, EqDense
from gantrain.networks.fir import Blur
from gantrain.networks.growing import Growing
from gantrain.networks.pggan import GAIN, Doubled
from gantrain.networks.precision import in_float32
from gantrain.networks.sizes import channels_of


class Styling(nn.Module):
    """What follows each convolution: noise of a learnt strength per channel, bias, leaky ReLU, and the style (AdaIN).

    Each map is brought to mean 0 and deviation 1, then times s + 1 and plus b, which a linear layer makes of w.
    `noise` (n, 1, side, side) is drawn in training; where it is None the layer takes a map of its own that stays.
    """

    map: Tensor

    def __init__(self, channels: int, w_dim: int, side: int):
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.style = EqDense(w_dim, 2 * channels)
        self.register_buffer("map", torch.randn(1, 1, side, side))
        self.act = nn.LeakyReLU(0.2)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None = None) -> Tensor:
        noise = self.map if noise is None else noise
        strength, bias = self.strength[:, None, None], self.bias[:, None, None]
        made = F.instance_norm(self.act(x + strength * noise + bias), eps=1e-8)
        scale, shift = in_float32(self.style, w)[:, :, None, None].chunk(2, 1)
        return made * (scale + 1) + shift


class SynthesisBlock(nn.Module):
    """Maps (n, a, s, s) to (n, b, 2s, 2s) by two convolutions and styles; the first begins with the constant."""

    def __init__(self, a: int, b: int, w_dim: int, side: int, first: bool):
        super().__init__()
        self.before = None
        if not first:
            self.before = nn.Sequential(Doubled(), EqConv(a, b, 3, GAIN, bias=False), Blur(padding=1, taps=(1, 2, 1)))
        self.conv = EqConv(b, b, 3, GAIN, bias=False)
        self.styling = nn.ModuleList(Styling(b, w_dim, side) for _ in range(2))

    def forward(self, x: Tensor, ws: Sequence[Tensor], noise: Sequence[Tensor | None]) -> Tensor:
        x = x if self.before is None else self.before(x)
        x = self.styling[0](x, ws[0], noise[0])
        return self.styling[1](self.conv(x), ws[1], noise[1])


class Synthesis(Growing):
    """Styles (n, layers, w_dim) to pictures (n, channels, side, side), where `side` grows up to `size`.

    Each size has two layers of w and a layer to the picture of its own; while it fades in, its picture is mixed with
    the one before it, doubled. `noise` are maps, one for each of `noise_sides`.
    """

    blocks: Any  # of SynthesisBlock

    def __init__(self, w_dim: int, width: int, size: int, channels: int, top: int):
        super().__init__(size)
        counts = channels_of(width, top, size)
        self.constant = nn.Parameter(torch.ones(counts[0], self.sizes[0], self.sizes[0]))
        self.blocks = nn.ModuleDict(
            {
                str(side): SynthesisBlock(counts[max(i - 1, 0)], counts[i], w_dim, side, first=i == 0)
                for i, side in enumerate(self.sizes)
            }
        )
        self.to_rgb = nn.ModuleDict(
            {str(side): EqConv(count, channels, 1) for side, count in zip(self.sizes, counts, strict=True)}
        )

    @property
    def layers(self) -> int:
        """How many layers take a w at the present size."""
        return 2 * len(self.active)

    @property
    def noise_sides(self) -> list[int]:
        return [side for side in self.active for _ in range(2)]

    @property
    def maps(self) -> list[Tensor]:
        """The noise of use, (1, 1, side, side) for each of `noise_sides`."""
        return [styling.map for side in self.active for styling in self.blocks[str(side)].styling]

    @property
    def style_weights(self) -> list[Tensor]:
        """The weights (k, w_dim) that make each layer's scales and shifts of w."""
        styles = [styling.style for side in self.active for styling in self.blocks[str(side)].styling]
        return [style.weight * style.scale for style in styles]

    def forward(self, ws: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        of_layers, of_sizes = ws.unbind(1), []
        maps = [None] * self.layers if noise is None else noise
        x = self.constant.repeat(ws.shape[0], 1, 1, 1)
        for i, side in enumerate(self.active):
            x = self.blocks[str(side)](x, of_layers[2 * i : 2 * i + 2], maps[2 * i : 2 * i + 2])
            of_sizes.append(x)
        return self.picture(self.to_rgb, of_sizes)


class Generator(stylegan2.Generator):
    """Latents (n, z_dim) to pictures (n, channels, side, side) of any values, where `side` grows up to `size`.

    All else is as StyleGAN2's generator says; there are two layers of w for each size that it has grown to.
    """

    synthesis_of = Synthesis

    def grow_to(self, size: int, fade: float) -> None:
        self.synthesis.grow_to(size, fade)

    @property
    def side(self) -> int:
        return self.synthesis.side

    @property
    def fade(self) -> Tensor:
        return self.synthesis.fade
