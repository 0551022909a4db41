"""The networks of GAN Projects, chapter 4."""

import pytest
import torch

from gantrain.networks.anime import Discriminator, Generator


def count(network):
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def test_parameter_counts():
    generator, discriminator = Generator(100, 64, 64, 3), Discriminator(128, 64, 3)
    assert (count(generator), count(discriminator)) == (34_839_427, 20_361_473)
    # the flattened map is 18,432 wide, which only a "same" first convolution gives
    assert discriminator.layers[10].in_features == 18_432


def test_shapes_at_another_size():
    made = Generator(5, 4, 96, 1)(torch.randn(2, 5))
    assert made.shape == (2, 1, 96, 96)
    assert made.abs().max() <= 1
    assert Discriminator(4, 96, 1)(made).shape == (2,)


def test_sizes_that_do_not_fit():
    with pytest.raises(ValueError, match="multiple of 8"):
        Generator(5, 4, 60, 1)
    with pytest.raises(ValueError, match="nothing after three poolings"):
        Discriminator(4, 16, 1)
