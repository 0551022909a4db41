"""Samples that are judged together."""

import pytest
import torch

from gantrain.networks.dcgan import Discriminator
from gantrain.networks.packing import packed


def test_the_channels_of_neighbours_stand_one_after_the_other():
    x = torch.arange(8.0).view(4, 2, 1)
    assert packed(x, 2).flatten(1).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert packed(x, 1) is x
    with pytest.raises(ValueError, match="4 samples do not divide into packs of 3"):
        packed(x, 3)


def test_a_pack_of_two_halves_the_number_of_logits():
    images = torch.randn(6, 3, 8, 8)
    assert Discriminator(4, 8, 3, pack=2)(images).shape == (3,)
    assert Discriminator(4, 8, 3)(images).shape == (6,)


def test_a_discriminator_sees_both_of_a_pack():
    torch.manual_seed(0)
    network, images = Discriminator(4, 8, 1, pack=2), torch.randn(2, 1, 8, 8)
    other = torch.stack([images[0], torch.zeros(1, 8, 8)])
    assert network(images) != network(other)
