"""The measure of checkered patterns, on pictures whose spectrum is known by hand."""

import pytest
import torch

from gantrain.evaluation.measures.checker import checker

FLAT = torch.zeros(1, 1, 64, 64)


def wave(period, side=64):
    """Rows that repeat after so many pixels."""
    return torch.cos(2 * torch.pi * torch.arange(side) / period).expand(1, 1, side, side)


@pytest.mark.parametrize("picture", [wave(4), wave(2), wave(4).mT, wave(2) * wave(4).mT])
def test_hanns_weights_leave_four_ninths_of_a_pattern_at_its_frequency(picture):
    # In each direction a wave becomes -1/4, 1/2, -1/4 around its frequency, which keeps 1/4 of 3/8 of its power.
    assert checker(picture, FLAT).item() == pytest.approx((2 / 3) ** 2)


def test_other_waves_and_shades_are_no_checker():
    assert checker(wave(16 / 6), FLAT) < 1e-6
    assert checker(FLAT, FLAT) == 0
    shade = torch.arange(64.0) / 2
    assert checker(wave(4) + shade, FLAT).item() == pytest.approx((2 / 3) ** 2, rel=0.05)


def test_noise_has_15_of_231_frequencies():
    noise = torch.randn(1, 1, 256, 256, generator=torch.Generator().manual_seed(0))
    assert checker(noise, noise).item() == pytest.approx(15 / 231, rel=0.05)


def test_it_looks_where_the_truth_is_flat():
    truth = torch.cat([torch.zeros(1, 1, 32, 64), wave(5)[..., :32, :]], 2)  # 21 of its 49 windows are flat
    made = torch.cat([torch.zeros(1, 1, 32, 64), wave(4)[..., :32, :]], 2)
    assert checker(made, truth) == 0
    assert checker(made.flip(2), truth).item() == pytest.approx((2 / 3) ** 2)
