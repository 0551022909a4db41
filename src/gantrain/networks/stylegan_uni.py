"""mnistGANs' form of StyleGAN's generator: linear mapping, three styles, two latents in each picture (Karras et al.
2019, arXiv 1812.04948)."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.networks.init import initialise
from gantrain.networks.stylegan2 import W_AVG_MOVE


class Noise(nn.Module):
    """Adds a map (n, 1, side, side) times a learnt number for each channel, or a map of its own where there is none."""

    map: Tensor

    def __init__(self, channels: int, side: int):
        super().__init__()
        self.scale = nn.Parameter(torch.randn(channels))
        self.register_buffer("map", torch.randn(1, 1, side, side))

    def forward(self, x: Tensor, noise: Tensor | None) -> Tensor:
        return x + self.scale[:, None, None] * (self.map if noise is None else noise)


class Block(nn.Module):
    """Maps of mean 0 and deviation 1, moved by a style, doubled with `up`, convolved; then noise."""

    def __init__(self, a: int, b: int, w_dim: int, side: int, up: bool):
        super().__init__()
        self.style = nn.Linear(w_dim, 2 * a)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear") if up else nn.Identity()
        self.conv = nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.LeakyReLU(0.3))
        self.noise = Noise(b, side)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        scale, shift = self.style(w)[:, :, None, None].chunk(2, 1)
        return self.noise(self.conv(self.up(scale * F.instance_norm(x) + shift)), noise)


class Synthesis(nn.Module):
    """Styles (n, 3, w_dim) to pictures (n, channels, size, size) in (-1, 1); `noise` are maps for `noise_sides`."""

    layers = 3
    blocks: Any  # of Block

    def __init__(self, w_dim: int, width: int, size: int, channels: int):
        super().__init__()
        if size % 4:
            raise ValueError(f"size is {size}, it must be a multiple of 4")
        self.noise_sides = [size // 4, size // 4, size // 2, size]
        self.shape = (2 * width, size // 4, size // 4)
        self.constant = nn.Linear(1, 2 * width * (size // 4) ** 2, bias=False)
        self.noise = Noise(2 * width, size // 4)
        self.blocks = nn.ModuleList(
            Block(2 * width if i == 0 else width, width, w_dim, side, up=i > 0)
            for i, side in enumerate(self.noise_sides[1:])
        )
        self.to_rgb = nn.Sequential(nn.Conv2d(width, channels, 5, padding=2), nn.Tanh())
        initialise(self, "glorot")

    @property
    def maps(self) -> list[Tensor]:
        """The noise of use, (1, 1, side, side) for each of `noise_sides`."""
        return [self.noise.map, *(block.noise.map for block in self.blocks)]

    @property
    def style_weights(self) -> list[Tensor]:
        """The weights (k, w_dim) that make each layer's scales and shifts of w."""
        return [block.style.weight for block in self.blocks]

    def forward(self, ws: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        first, *maps = [None] * len(self.noise_sides) if noise is None else noise
        ones = ws.new_ones(ws.shape[0], 1)  # not its len, which an export would take for a constant
        x = self.noise(self.constant(ones).unflatten(1, self.shape), first)
        for block, w, of_block in zip(self.blocks, ws.unbind(1), maps, strict=True):
            x = block(x, w, of_block)
        return self.to_rgb(x)


class Generator(nn.Module):
    """Latents (n, z_dim) to pictures (n, channels, size, size) in (-1, 1), by way of w (n, w_dim).

    In training each style is of one of two latents, `z` and `mix`, by chance: `choice` (n, 3) is uniform in [0, 1).
    `noise0`, ... are drawn; in use maps stand in for them that stay. `w_avg` is a running mean of w in training.
    """

    layers = Synthesis.layers
    w_avg: Tensor

    def __init__(self, z_dim: int, width: int, size: int, channels: int, w_dim: int = 128):
        super().__init__()
        self.z_dim, self.w_dim = z_dim, w_dim
        self.mapping = nn.Sequential(nn.Linear(z_dim, w_dim), nn.Linear(w_dim, w_dim))
        self.synthesis = Synthesis(w_dim, width, size, channels)
        self.register_buffer("w_avg", torch.zeros(w_dim))
        initialise(self.mapping, "glorot")

    @property
    def random_inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """What a training pass takes beside latents: by name whether normal or uniform, and the shape for a sample."""
        chosen = {"mix": ("normal", (self.z_dim,)), "choice": ("uniform", (self.layers,))}
        return chosen | {f"noise{i}": ("normal", (1, side, side)) for i, side in enumerate(self.synthesis.noise_sides)}

    def styles(self, z: Tensor, mix: Tensor | None = None, choice: Tensor | None = None) -> Tensor:
        """The w of each layer, (n, layers, w_dim)."""
        ws = self.mapping(z)[:, None].expand(-1, self.layers, -1)
        return ws if mix is None else torch.where(choice[:, :, None] < 0.5, ws, self.mapping(mix)[:, None])

    def forward(self, z: Tensor, mix: Tensor | None = None, choice: Tensor | None = None, **noise: Tensor) -> Tensor:
        ws = self.styles(z, mix, choice)
        if self.training:
            self.w_avg.lerp_(ws.detach().float().mean((0, 1)), W_AVG_MOVE)
        maps = [noise[f"noise{i}"] for i in range(len(self.synthesis.noise_sides))] if noise else None
        return self.synthesis(ws, maps)
