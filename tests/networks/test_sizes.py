"""Sides that double, and their channels."""

import pytest

from gantrain.networks.sizes import channels_of, sizes_of


@pytest.mark.parametrize(
    ("size", "sides"), [(4, [4]), (20, [5, 10, 20]), (24, [6, 12, 24]), (28, [7, 14, 28]), (32, [4, 8, 16, 32])]
)
def test_sides_begin_at_4_to_7_and_double(size, sides):
    assert sizes_of(size) == sides


@pytest.mark.parametrize(("size", "why"), [(3, "is below 4"), (9, "does not halve"), (36, "does not halve")])
def test_other_sides_are_refused(size, why):
    with pytest.raises(ValueError, match=f"^size {size} {why}"):
        sizes_of(size)


@pytest.mark.parametrize(
    ("width", "top", "channels"), [(16, 64, [64, 64, 32, 16]), (16, 512, [128, 64, 32, 16]), (16, 8, [16, 16, 16, 16])]
)
def test_channels_double_at_each_halving_up_to_a_top(width, top, channels):
    assert channels_of(width, top, 32) == channels
