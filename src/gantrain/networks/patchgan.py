"""PatchGAN (Isola et al. 2017, section 6.1.2): a discriminator that judges every patch of a picture by itself."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gantrain.networks.critique import Critique
from gantrain.networks.init import Init, initialise
from gantrain.networks.minibatch import minibatch_layers
from gantrain.networks.norms import Norm, norm_layers


class Discriminator(nn.Module):
    """Pictures (n, channels, h, w), with `cond_channels` joined to their conditions, to a map of logits (n, h', w').

    Each logit sees 16, 34, 70, 142 or 286 pixels a side with `layers` 1 to 5; the paper has 3, and `width` 64. With
    `features` it gives a Critique, whose features are the outputs of the layers. `minibatch` shows the last layer how
    samples of a batch differ (`minibatch_layers`).
    """

    def __init__(
        self,
        width: int,
        channels: int,
        cond_channels: int = 0,
        layers: int = 3,
        norm: Norm = "instance",
        features: bool = False,
        minibatch: Mapping[str, Any] | None = None,
        init: Init = "dcgan",
    ):
        super().__init__()
        if layers < 1:
            raise ValueError(f"layers is {layers}, it must be 1 or more")
        widths = [width * min(2**i, 8) for i in range(layers + 1)]
        blocks = []
        for i, (a, b) in enumerate(zip([channels + cond_channels, *widths], widths, strict=False)):
            normed = norm_layers(norm, b) if i else []
            conv = nn.Conv2d(a, b, 4, 1 if i == layers else 2, 1, bias=not normed)
            blocks.append(nn.Sequential(conv, *normed, nn.LeakyReLU(0.2)))
        self.layers = nn.ModuleList(blocks)
        beside, judged = minibatch_layers(minibatch, widths[-1], maps=True)
        self.minibatch = nn.Sequential(*beside)
        self.last = nn.Conv2d(judged, 1, 4, 1, 1)
        self.gives_features = features
        initialise(self, init)

    def forward(self, images: Tensor, cond: Tensor | None = None) -> Tensor | Critique:
        maps = images if cond is None else torch.cat([cond, images], 1)
        seen = []
        for layer in self.layers:
            maps = layer(maps)
            seen.append(maps)
        logits = self.last(self.minibatch(maps)).squeeze(1)
        return Critique(logits, seen) if self.gives_features else logits
