"""mnistGANs' growing pair."""

import pytest
import torch

from gantrain.networks.pggan_uni import Discriminator, Generator


def test_numbers_of_parameters():
    pair = Generator(100, 16, 28, 1), Discriminator(32, 28, 1)
    assert [sum(p.numel() for p in network.parameters()) for network in pair] == [724_723, 39_075]


@pytest.mark.parametrize("size", [7, 14, 28])
def test_it_makes_and_judges_pictures_of_each_size(size):
    generator, discriminator = Generator(6, 4, 28, 1).eval(), Discriminator(4, 28, 1).eval()
    for network in (generator, discriminator):
        network.grow_to(size, 0.5)
    picture = generator(torch.randn(3, 6))
    assert picture.shape == (3, 1, size, size)
    assert picture.abs().max() < 1
    assert discriminator(picture).shape == (3,)


def test_at_fade_0_the_newest_block_does_not_count():
    generator, discriminator = Generator(6, 4, 28, 1).eval(), Discriminator(4, 28, 1).eval()
    z, x = torch.randn(3, 6), torch.randn(3, 1, 28, 28)
    for network in (generator, discriminator):
        network.grow_to(28, 0.0)
    before = generator(z), discriminator(x)
    for network in (generator, discriminator):
        for weight in network.blocks["28"].parameters():
            weight.data.add_(1)
    assert torch.equal(generator(z), before[0])
    assert torch.equal(discriminator(x), before[1])
    assert torch.equal(before[0][:, :, ::2, ::2], before[0][:, :, 1::2, 1::2])  # four pixels alike
