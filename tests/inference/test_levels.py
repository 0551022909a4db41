import numpy as np
import pytest
import torch

from gantrain.data.formats.decode import Framing
from gantrain.inference.levels import Levels, batch_of, planes_of


def test_8_bits_fill_the_range_of_the_network_and_come_back_as_they_were():
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    levels = Levels.of(pixels, Framing(), (-1, 1))
    planes = levels.to_planes(pixels)
    assert planes.shape == (1, 16, 16)
    assert planes.min() == -1
    assert planes.max() == 1
    assert np.array_equal(levels.to_pixels(planes)[0], pixels)


def test_16_bits_have_the_levels_of_the_framing_and_what_lies_outside_is_cut_to_them():
    pixels = np.array([[0, 1000, 3000, 5000, 65535]], np.uint16)
    levels = Levels.of(pixels, Framing(levels=(1000, 5000)), (0, 1))
    planes = levels.to_planes(pixels)
    assert planes[0, 0].tolist() == [0, 0, 0.5, 1, 1]
    back = levels.to_pixels(planes)
    assert back.dtype == np.uint16
    assert back[0, 0].tolist() == [1000, 1000, 3000, 5000, 5000]


def test_values_beyond_the_range_are_clamped_and_others_rounded():
    levels = Levels(0, 255, -1, 1, np.dtype(np.uint8))
    assert levels.to_pixels(torch.tensor([[[-3.0, 0.003, 3.0]]])).tolist() == [[[0, 128, 255]]]


@pytest.mark.parametrize(
    ("count", "channels", "shape"), [(1, 1, (1, 1)), (1, 3, (1, 3)), (3, 1, (3, 1)), (3, 3, (1, 3))]
)
def test_grey_and_colour_go_through_networks_of_either_number_of_channels(count, channels, shape):
    planes = torch.rand(count, 4, 5)
    batch = batch_of(planes, channels)
    assert batch.shape == (*shape, 4, 5)
    torch.testing.assert_close(planes_of(batch, count), planes)
