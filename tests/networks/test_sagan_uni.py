"""mnistGANs' pair with attention: parameter counts, noise in training alone."""

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


def test_noise_joins_what_it_sees_in_training_alone():
    torch.manual_seed(0)
    network, images = Discriminator(8, 8, 1, noise=1.0, dropout=0.0), torch.zeros(4, 1, 8, 8)
    assert not torch.equal(network(images), network(images))
    network.eval()
    assert torch.equal(network(images), network(images))
