"""DiffAugment (Zhao et al. 2020, arXiv 2006.10738): all that D sees is changed, so that few pictures last longer."""

import torch
from torch import Tensor

from gantrain.data.batch import Batch
from gantrain.models.augment.shown import Augment
from gantrain.models.family import Family


class DiffAugment(Augment):
    """Random colours, shifts and holes for every picture (n, c, h, w) that D sees.

    `colour` adds U(-.5, .5) to all pixels, multiplies their distance to the mean of their channels by U(0, 2), and then
    that to the picture's mean by U(.5, 1.5). `shift` is the largest move in parts of the side, zeros coming in.
    `cutout` is the side of a square of zeros in parts of the side; it shows up in samples, and so is off.
    """

    ranks = (2,)

    def __init__(self, colour: bool = True, shift: float = 0.125, cutout: float = 0.0):
        for name, part in (("shift", shift), ("cutout", cutout)):
            if not 0 <= part < 1:
                raise ValueError(f"{name} is {part}, it must be 0 or more and below 1")
        if not (colour or shift or cutout):
            raise ValueError("colour, shift and cutout are all off; leave it out")
        self.colour, self.shift, self.cutout = colour, shift, cutout

    def drawn(self, game: Family, batch: Batch, like: Tensor, key: str) -> Tensor:
        return game.uniform(batch, 7, key=key)

    def __call__(self, samples: Tensor, drawn: Tensor) -> Tensor:
        if self.colour:
            samples = coloured(samples, *drawn[:, :3].unbind(1))
        if self.shift:
            samples = shifted(samples, drawn[:, 3:5], self.shift)
        return cut(samples, drawn[:, 5:7], self.cutout) if self.cutout else samples


def coloured(images: Tensor, brightness: Tensor, saturation: Tensor, contrast: Tensor) -> Tensor:
    """Other colours; the three (n,) are uniform in [0, 1)."""
    brightness, saturation, contrast = (u.view(-1, 1, 1, 1) for u in (brightness, saturation, contrast))
    images = images + (brightness - 0.5)
    grey = images.mean(1, keepdim=True)
    images = grey + 2 * saturation * (images - grey)
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (0.5 + contrast) * (images - mean)


def shifted(images: Tensor, u: Tensor, most: float) -> Tensor:
    """Each moved by whole pixels, up to `most` of a side; `u` (n, 2) is uniform in [0, 1), rows first."""
    for axis, number in zip((2, 3), u.unbind(1), strict=True):
        side = images.shape[axis]
        reach = round(most * side)
        steps = (number * (2 * reach + 1)).floor().long() - reach
        places = torch.arange(side, device=images.device) + steps[:, None]
        there = (places >= 0) & (places < side)
        view = (-1, 1, side, 1) if axis == 2 else (-1, 1, 1, side)
        images = images.gather(axis, places.clamp(0, side - 1).view(view).expand_as(images)) * there.view(view)
    return images


def cut(images: Tensor, u: Tensor, part: float) -> Tensor:
    """Each with a square of zeros, `part` of a side, whose middle `u` (n, 2) is anywhere in it."""
    inside = []
    for axis, number in zip((2, 3), u.unbind(1), strict=True):
        side = images.shape[axis]
        hole = round(part * side)
        first = (number * side).floor().long()[:, None] - hole // 2
        places = torch.arange(side, device=images.device)
        inside.append((places >= first) & (places < first + hole))
    return images * ~(inside[0][:, None, :, None] & inside[1][:, None, None, :])
