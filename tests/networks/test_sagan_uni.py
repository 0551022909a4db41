"""mnistGANs' pair with attention: parameter counts and shapes."""

import pytest
import torch

from gantrain.networks.sagan_uni import Discriminator, Generator


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_the_sources_counts():
    assert (count(Generator(100, 32, 28, 1)), count(Discriminator(16, 28, 1))) == (813_351, 10_312)


def test_shapes_and_sizes():
    made = Generator(5, 8, 8, 3).eval()(torch.randn(1, 5))
    assert made.shape == (1, 3, 8, 8)
    assert Discriminator(8, 8, 3)(torch.randn(1, 3, 8, 8)).shape == (1,)
    with pytest.raises(ValueError, match="size is 30, it must be a multiple of 4"):
        Generator(5, 8, 30, 1)
