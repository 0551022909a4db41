"""The checkered pattern that upsampling and strided losses leave in pictures (Odena et al. 2016)."""

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 16  # of a window
FLAT = 0.25  # of the windows: those that stand for sky, water and walls
COARSE = 2  # waves in a window, at most, that are shades and no detail: periods of 8 pixels and more


def checker(made: Tensor, truth: Tensor) -> Tensor:
    """The share of the fine detail of `made` that has periods of 4 or 2 pixels, where `truth` is flat.

    Both are (1, 1, h, w), of 16 x 16 pixels or more. Windows of 16 x 16, half a window apart, are weighted with Hann's
    and transformed; of those in which `truth` varies least, a quarter of all, the power at the 15 frequencies that
    repeat after 4 x 4 pixels is divided by that at all frequencies above two waves in a window. Noise has 15 / 231 =
    0.065, a pattern of 4 or 2 pixels alone 0.44 or more, as the weights spread it. 0 where there is no detail at all.
    """
    variation = windows(truth).var((1, 2))
    flat = variation.argsort()[: max(1, round(FLAT * len(variation)))]
    power = torch.fft.fft2(weighted(windows(made)[flat])).abs().square().sum(0)
    waves = torch.fft.fftfreq(SIDE, 1 / SIDE).abs()
    fine = power[torch.maximum(waves[:, None], waves) > COARSE].sum()
    repeated = power[:: SIDE // 4, :: SIDE // 4].sum() - power[0, 0]
    return repeated / fine if fine > 0 else torch.zeros_like(fine)


def windows(picture: Tensor) -> Tensor:
    """Windows (n, SIDE, SIDE) of a picture (1, 1, h, w), half of a side apart."""
    return F.unfold(picture.double(), SIDE, stride=SIDE // 2)[0].T.unflatten(1, (SIDE, SIDE))


def weighted(parts: Tensor) -> Tensor:
    """Windows (n, SIDE, SIDE) less their weighted mean, under Hann's weights, so that shades do not leak."""
    weights = torch.hann_window(SIDE, dtype=parts.dtype, device=parts.device)
    weights = weights[:, None] * weights
    return (parts - (parts * weights).sum((1, 2), keepdim=True) / weights.sum()) * weights
