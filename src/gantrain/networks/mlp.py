"""Multilayer perceptron GANs (Goodfellow et al. 2014) on small pictures."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from torch import Tensor, nn

from gantrain.networks.critique import Critique, critique
from gantrain.networks.init import Init, initialise
from gantrain.networks.labels import with_class
from gantrain.networks.minibatch import minibatch_layers


class Generator(nn.Module):
    """Latents (n, z_dim) to pictures (n, channels, size, size).

    `hidden` lists the hidden layers in multiples of `width`. The output is in (0, 1) with `sigmoid`, in (-1, 1) with
    `tanh`. `batch_norm` puts Linear, BatchNorm, activation in each hidden block. With `classes` it takes class numbers
    (n,) as well, whose one-hot joins the latent.
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
        classes: int | None = None,
        init: Init = "torch",
    ):
        super().__init__()
        self.z_dim, self.classes, self.shape = z_dim, classes, (channels, size, size)
        widths = [z_dim + (classes or 0), *(round(width * m) for m in hidden)]
        blocks = [
            nn.Sequential(
                nn.Linear(a, b),
                *([nn.BatchNorm1d(b)] if batch_norm else []),
                nn.LeakyReLU(slope) if slope else nn.ReLU(),
            )
            for a, b in itertools.pairwise(widths)
        ]
        squash = nn.Tanh() if output == "tanh" else nn.Sigmoid()
        self.layers = nn.Sequential(*blocks, nn.Linear(widths[-1], channels * size * size), squash)
        initialise(self, init)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.layers(with_class(z, cond, self.classes)).view(-1, *self.shape)


class Discriminator(nn.Module):
    """Pictures (n, channels, size, size) to logits (n,); `hidden` in multiples of `width`.

    With `features` it gives a Critique, whose features are the outputs of the hidden layers. With `classes` it takes
    class numbers (n,) as well, whose one-hot joins the pixels. With `auxiliary` a second head says so many numbers of
    each picture, the Critique's `auxiliary`. `minibatch` shows the first head how samples of a batch differ
    (`minibatch_layers`).
    """

    def __init__(
        self,
        width: int,
        size: int,
        channels: int,
        hidden: Sequence[float] = (1, 0.5),
        slope: float = 0.2,
        features: bool = False,
        classes: int | None = None,
        auxiliary: int | None = None,
        minibatch: Mapping[str, Any] | None = None,
        init: Init = "torch",
    ):
        super().__init__()
        self.gives_features, self.classes = features, classes
        widths = [channels * size * size + (classes or 0), *(round(width * m) for m in hidden)]
        blocks = [nn.Sequential(nn.Linear(a, b), nn.LeakyReLU(slope)) for a, b in itertools.pairwise(widths)]
        beside, judged = minibatch_layers(minibatch, widths[-1])
        self.minibatch = nn.Sequential(*beside)
        self.layers = nn.Sequential(nn.Flatten(), *blocks, nn.Linear(judged, 1))
        self.auxiliary = nn.Linear(widths[-1], auxiliary) if auxiliary else None
        initialise(self, init)

    def forward(self, images: Tensor, cond: Tensor | None = None) -> Tensor | Critique:
        flatten, *blocks, last = self.layers
        x, seen = with_class(flatten(images), cond, self.classes), []
        for block in blocks:
            x = block(x)
            seen.append(x)
        return critique(last(self.minibatch(x)).squeeze(1), seen if self.gives_features else (), self.auxiliary, x)
