"""A photo to the style of which a generator makes it most nearly (Karras et al. 2020, appendix D).

A style and the maps of noise are moved by Adam. Noise keeps the style from bending for what is mere texture; the maps
are then dropped, since other verbs make pictures of the style alone.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gantrain.drawing.progress import track
from gantrain.inference.likeness import Likeness

RATE = 0.1  # Adam's, after RISE and before FALL of the steps
RISE, FALL = 0.05, 0.25
SHAKEN = 0.05  # noise on the style, in its deviations, which falls to none over CALM of the steps
CALM = 0.75
SMOOTH = 1e5  # what pictures hidden in the maps of noise cost
SMALLEST_MAP = 8


class StyleProjection:
    """Photos (c, size, size) in the networks' range to styles (layers, w_dim), one photo at a time.

    The search begins at `centre` (w_dim,), the mean of w; `deviation` is how far from it w lie. With `each_layer` every
    layer has a style of its own: nearer to the photo, but moves of it do less well what they do to others.
    """

    def __init__(
        self,
        synthesis: Any,
        centre: Tensor,
        deviation: float,
        likeness: Likeness,
        steps: int,
        each_layer: bool = False,
        seed: int = 0,
    ):
        self.synthesis, self.deviation, self.likeness = synthesis, deviation, likeness
        self.centre = centre.to(next(synthesis.parameters()).device)
        self.steps, self.each_layer, self.seed = steps, each_layer, seed

    def __call__(self, photo: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(self.seed)
        distance, layers = self.likeness.to(photo[None]), self.synthesis.layers
        w = self.centre.repeat(1, layers if self.each_layer else 1, 1).requires_grad_()
        maps = [of_use.clone().requires_grad_() for of_use in self.synthesis.maps]
        optimizer = torch.optim.Adam([w, *maps])
        for step in track(range(self.steps), self.steps, "steps of a style"):
            done = step / self.steps
            optimizer.param_groups[0]["lr"] = rate_at(done)
            shake = self.deviation * SHAKEN * max(0.0, 1 - done / CALM) ** 2
            shaken = w + shake * torch.randn(w.shape, generator=generator).to(w.device)
            cost = distance(self.synthesis(shaken.expand(-1, layers, -1), maps)) + SMOOTH * roughness(maps)
            optimizer.zero_grad()
            cost.backward(inputs=[w, *maps])
            optimizer.step()
            with torch.no_grad():
                for map in maps:
                    map.sub_(map.mean()).mul_(map.square().mean().add(1e-8).rsqrt())
        return w.detach()[0].expand(layers, -1).cpu()

    def made(self, style: Tensor) -> Tensor:
        """The picture (1, c, size, size) of a style (layers, w_dim), with the noise of use."""
        with torch.no_grad():
            return self.synthesis(style[None].to(self.centre.device))

    def apart(self, style: Tensor, photo: Tensor) -> float:
        """The distance of what a style makes to a photo (c, size, size)."""
        with torch.no_grad():
            return self.likeness.to(photo[None])(self.made(style)).item()


def rate_at(done: float) -> float:
    """Adam's rate after a share of the steps: up over the first few, down as a cosine over the last quarter."""
    left = min(1.0, (1 - done) / FALL)
    return RATE * min(1.0, done / RISE) * (0.5 - 0.5 * math.cos(math.pi * left))


def roughness(maps: Sequence[Tensor]) -> Tensor:
    """How much neighbours agree in maps of noise (1, 1, side, side): squared autocorrelations at each halving."""
    costs = []
    for map in maps:
        while True:
            costs += [(map * map.roll(1, side)).mean().square() for side in (2, 3)]
            if map.shape[2] <= SMALLEST_MAP:
                break
            map = F.avg_pool2d(map, 2)
    return torch.stack(costs).sum()
