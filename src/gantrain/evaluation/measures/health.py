"""Measures of training's health: numbers of samples, logits and weights, to be compared with those of real samples.

Samples are compared as small pictures, (n, d), in which the noise of single pixels does not count.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

NEAR_END = 1e-3  # of the range: values nearer than this to an end are saturated
LEAST_SPREAD = 0.01  # the least standard deviation of a trait, so that nearly constant traits are not scaled up
GREY = 0.025  # of the range: values nearer than this to its middle are grey, with which augmentations fill gaps


def diversity(rows: Tensor) -> Tensor:
    """The mean distance between two different rows (n, d); 0 if all are equal."""
    n = len(rows)
    return torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist").sum() / max(1, n * (n - 1))


def duplicates(rows: Tensor, radius: float | Tensor) -> Tensor:
    """The share of rows (n, d) that have another one within `radius`."""
    apart = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    return (apart.fill_diagonal_(torch.inf).amin(1) <= radius).float().mean()


def separation(real: Tensor, fake: Tensor) -> Tensor:
    """How often a real sample's logit is above a fake one's, ties counting half (the area under the ROC curve).

    1: the discriminator tells all pairs apart; 0.5: it cannot tell; below 0.5: it takes fakes for real.
    """
    apart = real.flatten()[:, None] - fake.flatten()
    return ((apart > 0).float() + 0.5 * (apart == 0).float()).mean()


def saturated(samples: Tensor, low: float, high: float) -> Tensor:
    """The share of values at an end of the range, or beyond."""
    near = NEAR_END * (high - low)
    return ((samples <= low + near) | (samples >= high - near)).float().mean()


def not_finite(tensors: Iterable[Tensor]) -> Tensor:
    """The share of values that are infinite or NaN."""
    return torch.cat([(~torch.isfinite(tensor)).float().flatten() for tensor in tensors]).mean()


class Channels:
    """The lowest and highest value of each channel in the outputs (n, channels, ...) that `see` was given."""

    def __init__(self) -> None:
        self.ranges: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def see(self, number: int, output: Tensor) -> None:
        """Take in an output of layer `number`; a layer that is used at several places may have different channels."""
        if not torch.is_tensor(output) or output.dim() < 2:
            return
        layer = number, output.shape[1]
        flat = output.detach().transpose(0, 1).flatten(1)
        low, high = flat.amin(1), flat.amax(1)
        if layer in self.ranges:
            before = self.ranges[layer]
            low, high = torch.minimum(low, before[0]), torch.maximum(high, before[1])
        self.ranges[layer] = low, high

    def dead(self) -> Tensor | None:
        """The share of channels with one value at all places of all samples; None without any output."""
        if not self.ranges:
            return None
        return torch.cat([(low == high).float() for low, high in self.ranges.values()]).mean()


def step_size(before: Sequence[Tensor], after: Sequence[Tensor]) -> Tensor:
    """The length of the change of weights, as a share of their own length; 0 if that is 0."""
    moved: Any = sum((b - a).float().square().sum() for a, b in zip(before, after, strict=True))
    length: Any = sum(b.float().square().sum() for b in after)
    return torch.where(length > 0, (moved / length.clamp_min(1e-30)).sqrt(), torch.zeros_like(length))


# ---- modes -----------------------------------------------------------------------------------------------------------


def in_cells(rows: Tensor, centres: Tensor) -> Tensor:
    """How many of the rows lie in the cell of each centre (count,).

    Samples are counted in the cells of real ones as by Richardson and Weiss 2018 (NDB, arXiv 1805.12462).
    """
    return torch.bincount(torch.cdist(rows, centres).argmin(1), minlength=len(centres))


# ---- augmentation ----------------------------------------------------------------------------------------------------


def traits(pictures: Tensor, low: float, high: float) -> Tensor:
    """Traits (n, 7) of pictures (n, c, h, w) that augmentations change: brightness, contrast, colour, the distance of
    their content from the middle along each axis, the share of grey pixels, and the same at the border.

    A flip changes none of them. Each is a share of the range or of a side.
    """
    unit = ((pictures.float() - low) / (high - low)).clamp(0, 1)
    n, _, height, width = unit.shape
    brightness, contrast = unit.mean((1, 2, 3)), unit.flatten(1).std(1)
    colour = (unit.amax(1) - unit.amin(1)).mean((1, 2))
    mass = (unit - brightness.view(n, 1, 1, 1)).abs().mean(1) + 1e-6
    mass = mass / mass.sum((1, 2), keepdim=True)
    places = [torch.linspace(-0.5, 0.5, side, device=unit.device) for side in (height, width)]
    y, x = (mass.sum(2) @ places[0]).abs(), (mass.sum(1) @ places[1]).abs()
    grey = ((unit - 0.5).abs() <= GREY).float().mean(1)
    edge = torch.cat([grey[:, 0], grey[:, -1], grey[:, 1:-1, 0], grey[:, 1:-1, -1]], 1).mean(1)
    return torch.stack([brightness, contrast, colour, y, x, grey.mean((1, 2)), edge], 1)


def leaks(plain: Tensor, shown: Tensor, fake: Tensor) -> tuple[Tensor, Tensor | None]:
    """How much the pictures `shown` to the discriminator differ from the `plain` ones, and how far fakes do as well.

    The arguments are traits (n, t). The first result is the largest difference of a trait's mean, or of its mean
    deviation, in standard deviations of the plain pictures, minus what chance gives for so few pictures. The second is
    0 if fakes have the traits of plain pictures, and 1 if they have those of the shown ones: a mean over traits,
    weighted by their differences.
    """
    middle, scale = plain.mean(0), plain.std(0).clamp_min(LEAST_SPREAD)

    def moments(rows: Tensor) -> Tensor:
        z = (rows - middle) / scale
        return torch.cat([z.mean(0), z.abs().mean(0)])

    of_plain = moments(plain)
    change, followed = moments(shown) - of_plain, moments(fake) - of_plain
    chance = 3 * (1 / len(plain) + 1 / len(shown)) ** 0.5
    weights = (change.abs() - chance).clamp_min(0)
    share = (weights * followed / change).nan_to_num(0).sum() / weights.sum() if weights.sum() > 0 else None
    return weights.max(), share
