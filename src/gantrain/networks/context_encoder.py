"""The context encoder's networks (Pathak et al. 2016, section 3): from what surrounds a hole to what was in it."""

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.networks.init import initialise
from gantrain.networks.minibatch import minibatch_layers

STEPS = 5  # of the encoder, each of which halves the side; then a convolution over the whole map


class Generator(nn.Module):
    """Pictures with holes (n, channels + 1, size, size) to (n, channels, size, size): the middle square in (-1, 1), of
    half the side, and zeros around it.

    `size` is 128 in the paper. As there it does not look at the mask, the last channel. All that it knows goes through
    `bottleneck` numbers, which see the whole picture.
    """

    def __init__(self, width: int, size: int, channels: int, bottleneck: int = 4000):
        super().__init__()
        if size % (1 << STEPS) or size < 64:
            raise ValueError(f"size is {size}, it must be a multiple of 32, and 64 or more")
        side, widths = size >> STEPS, [width, width, 2 * width, 4 * width, 8 * width]
        layers = []
        for i, (a, b) in enumerate(zip([channels, *widths], widths, strict=False)):
            layers += [nn.Conv2d(a, b, 4, 2, 1), *([nn.BatchNorm2d(b)] if i else []), nn.LeakyReLU(0.2)]
        layers += [nn.Conv2d(widths[-1], bottleneck, side), nn.BatchNorm2d(bottleneck), nn.LeakyReLU(0.2)]
        layers += [nn.ConvTranspose2d(bottleneck, widths[-1], side), nn.BatchNorm2d(widths[-1]), nn.ReLU()]
        for a, b in zip(widths[:0:-1], widths[-2:0:-1], strict=False):
            layers += [nn.ConvTranspose2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Tanh())
        initialise(self, "dcgan")

    def forward(self, cond: Tensor) -> Tensor:
        middle = self.layers(cond[:, :-1])
        around = cond.shape[-1] // 4
        return F.pad(middle, (around, around, around, around))


class Discriminator(nn.Module):
    """Pictures (n, channels, h, w) of 64 pixels a side or more to logits (n, h', w'), each of which sees 94 pixels.

    The paper's looks at the hole alone, of 64 pixels, and has a single logit; this one slides over the pasted picture.
    `minibatch` shows the last layer how samples of a batch differ (`minibatch_layers`).
    """

    def __init__(self, width: int, channels: int, minibatch: Mapping[str, Any] | None = None):
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        layers = []
        for i, (a, b) in enumerate(zip([channels, *widths], widths, strict=False)):
            layers += [nn.Conv2d(a, b, 4, 2, 1), *([nn.BatchNorm2d(b)] if i else []), nn.LeakyReLU(0.2)]
        beside, judged = minibatch_layers(minibatch, widths[-1], maps=True)
        self.layers = nn.Sequential(*layers, *beside, nn.Conv2d(judged, 1, 4))
        initialise(self, "dcgan")

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).squeeze(1)
