import pytest
import torch

from gantrain.losses.holes import HoleL1, HoleMSE


def example():
    made, wanted, missing = torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4)
    missing[0, :, :, 2:] = 1  # 8 pixels
    missing[1, :, 0, 0] = 1
    made[0, :, 0, 2] = 8.0
    made[1, :, 0, 0] = 3.0
    made[1, :, 2, 2] = 100.0  # outside
    return made, wanted, missing


def test_each_picture_counts_alike_and_only_inside():
    assert HoleL1(2.0)(*example()) == pytest.approx(2 * (8 / 8 + 3) / 2)
    assert HoleMSE()(*example()) == pytest.approx((64 / 8 + 9) / 2)


def test_pixels_beside_known_ones_weigh_more():
    # Of the first hole, a column of 4 lies beside known pixels: 10 * 8 / (4 * 10 + 4). The picture's edge is no border.
    assert HoleL1(border=1)(*example()) == pytest.approx((80 / 44 + 3) / 2)
    assert HoleL1(border=2)(*example()) == pytest.approx((8 / 8 + 3) / 2)


def test_border_is_a_number_of_pixels():
    with pytest.raises(ValueError, match="border is -1"):
        HoleL1(border=-1)
