import pytest
import torch
from torch import nn

from gantrain.networks.resnet import Generator


def test_the_papers_network_has_the_papers_layers():
    network = Generator(64, 3, 3)
    convs = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))]
    assert [conv.out_channels for conv in convs] == [64, 128, 256, *[256] * 18, 128, 64, 3]
    assert sum(p.numel() for p in network.parameters()) == 11_372_931
    assert abs(convs[2].weight.std().item() - 0.02) < 1e-3


@pytest.mark.parametrize("size", [(8, 8), (16, 40)])
def test_pictures_keep_their_size(size):
    made = Generator(2, 1, 3, blocks=1)(torch.randn(2, 1, *size))
    assert made.shape == (2, 3, *size)
    assert made.abs().max() <= 1


def test_it_takes_a_block():
    with pytest.raises(ValueError, match="blocks is 0"):
        Generator(2, 1, 3, blocks=0)


def test_a_residual_network_begins_with_its_input_and_stays_in_range():
    network, pictures = Generator(2, 3, 3, blocks=1, residual=True), torch.rand(2, 3, 16, 16) * 2 - 1
    assert torch.equal(network(pictures), pictures)
    with torch.no_grad():
        network.layers[-2].weight.normal_()
    made = network(pictures)
    assert not torch.equal(made, pictures)
    assert made.abs().max() <= 1
    with pytest.raises(ValueError, match="3 channels cannot be added to an input of 1"):
        Generator(2, 1, 3, residual=True)
