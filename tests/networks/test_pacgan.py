"""PacGAN's networks: parameter counts, odd sides."""

import pytest
import torch
from torch import nn

from gantrain.networks import dcgan
from gantrain.networks.pacgan import Generator

BLOCKS = [[1, 2], [2, 2], [4, 2], [8, 2]]


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_the_papers_counts():
    assert count(Generator(100, 64, 28, 3)) == 4_514_819
    assert count(dcgan.Discriminator(64, 28, 3, blocks=BLOCKS, kernel=5, norm=True)) == 4_310_401
    assert count(dcgan.Discriminator(64, 28, 3, blocks=BLOCKS, kernel=5, norm=True, pack=2)) == 4_315_201


@pytest.mark.parametrize(("size", "sides"), [(28, [4, 7, 14, 28]), (32, [4, 8, 16, 32]), (25, [4, 7, 13, 25])])
def test_its_maps_have_the_sides_of_the_way_down(size, sides):
    network, seen = Generator(5, 4, size, 3).eval(), []
    for layer in network.layers:
        if isinstance(layer, nn.ConvTranspose2d):
            layer.register_forward_hook(lambda part, given, made: seen.append(made.shape[-1]))
    assert network(torch.randn(1, 5)).shape == (1, 3, size, size)
    assert seen == sides
