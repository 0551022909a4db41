"""Multilayer perceptron GANs (Goodfellow et al. 2014) on small pictures."""

import itertools
from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from gantrain.networks.critique import Critique
from gantrain.networks.init import Init, initialise


class Generator(nn.Module):
    """Latents (n, z_dim) to pictures (n, channels, size, size).

    `hidden` lists the hidden layers in multiples of `width`. The output is in (0, 1) with `sigmoid`, in (-1, 1) with
    `tanh`. `batch_norm` puts Linear, BatchNorm, activation in each hidden block.
    """

    def __init__(
        self,
        z_dim: int,
        width: int,
        size: int,
        channels: int,
        hidden: Sequence[float] = (1, 2, 4),
        batch_norm: bool = False,
        slope: float = 0.2,
        output: Literal["tanh", "sigmoid"] = "tanh",
        init: Init = "torch",
    ):
        super().__init__()
        self.z_dim, self.shape = z_dim, (channels, size, size)
        widths = [z_dim, *(round(width * m) for m in hidden)]
        blocks = [
            nn.Sequential(
                nn.Linear(a, b),
                *([nn.BatchNorm1d(b)] if batch_norm else []),
                nn.LeakyReLU(slope) if slope else nn.ReLU(),
            )
            for a, b in itertools.pairwise(widths)
        ]
        if output not in ("tanh", "sigmoid"):
            raise ValueError(f"output '{output}' is neither tanh nor sigmoid")
        squash = nn.Tanh() if output == "tanh" else nn.Sigmoid()
        self.layers = nn.Sequential(*blocks, nn.Linear(widths[-1], channels * size * size), squash)
        initialise(self, init)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z).view(-1, *self.shape)


class Discriminator(nn.Module):
    """Pictures (n, channels, size, size) to logits (n,); `hidden` in multiples of `width`.

    With `features` it gives a Critique, whose features are the outputs of the hidden layers.
    """

    def __init__(
        self,
        width: int,
        size: int,
        channels: int,
        hidden: Sequence[float] = (1, 0.5),
        slope: float = 0.2,
        features: bool = False,
        init: Init = "torch",
    ):
        super().__init__()
        self.gives_features = features
        widths = [channels * size * size, *(round(width * m) for m in hidden)]
        blocks = [nn.Sequential(nn.Linear(a, b), nn.LeakyReLU(slope)) for a, b in itertools.pairwise(widths)]
        self.layers = nn.Sequential(nn.Flatten(), *blocks, nn.Linear(widths[-1], 1))
        initialise(self, init)

    def forward(self, images: Tensor) -> Tensor | Critique:
        flatten, *blocks, last = self.layers
        x, seen = flatten(images), []
        for block in blocks:
            x = block(x)
            seen.append(x)
        logits = last(x).squeeze(1)
        return Critique(logits, seen) if self.gives_features else logits
