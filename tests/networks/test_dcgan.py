"""The convolutional networks: parameter counts by hand, shapes, initial weights."""

import pytest
import torch
from torch import nn

from gantrain.networks.dcgan import Discriminator, Generator


def count(network):
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def test_the_tutorials_parameter_counts():
    generator = Generator(100, 64, 28, 1, stem=4, blocks=[(2, 1), (1, 2)], kernel=5, output_stride=2, slope=0.3)
    discriminator = Discriminator(64, 28, 1, blocks=[(1, 2), (2, 2)], kernel=5, slope=0.3, dropout=0.3)
    assert (count(generator), count(discriminator)) == (2_305_472, 212_865)


def test_the_tutorials_counts_at_40x40_in_colour():
    generator = Generator(100, 64, 40, 3, stem=4, blocks=[(2, 1), (1, 2)], kernel=5, output_stride=2, slope=0.3)
    discriminator = Discriminator(64, 40, 3, blocks=[(1, 2), (2, 2)], kernel=5, slope=0.3, dropout=0.3)
    assert (count(generator), count(discriminator)) == (3_640_384, 222_593)


def test_the_uni_networks_layers():
    generator = Generator(100, 32, 28, 1, stem=4, blocks=[(2, 2), (1, 2)], bias=True)
    kinds = [type(layer) for layer in generator.layers]
    block = [nn.ConvTranspose2d, nn.BatchNorm2d, nn.ReLU]
    stem = [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Unflatten]
    assert kinds == [*stem, *block, *block, nn.Conv2d, nn.Tanh]
    # 100*6272+6272 + 2*6272 + 128*64*16+64 + 128 + 64*32*16+32 + 64 + 32*16+1
    assert count(generator) == 627_200 + 6_272 + 12_544 + 131_136 + 128 + 32_800 + 64 + 513
    discriminator = Discriminator(64, 28, 1, blocks=[(1, 2), (2, 2)], dropout=0.3, norm=True, norm_first=True)
    assert count(discriminator) == 64 * 16 + 64 + 128 + 128 * 64 * 16 + 128 + 256 + 7 * 7 * 128 + 1


@pytest.mark.parametrize("size", [8, 16, 28, 32, 40, 64, 96, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_without_further_options(size, channels):
    made = Generator(10, 4, size, channels)(torch.randn(2, 10))
    assert made.shape == (2, channels, size, size)
    assert made.abs().max() <= 1
    assert Discriminator(4, size, channels)(made).shape == (2,)


@pytest.mark.parametrize("kernel", [3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_every_kernel_and_stride_multiplies_the_side_exactly(kernel, stride):
    made = Generator(5, 4, 24, 1, stem=1, blocks=[(1, 2), (1, stride)], kernel=kernel)(torch.randn(2, 5))
    assert made.shape == (2, 1, 24, 24)


def test_a_size_that_the_strides_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="no multiple of 4"):
        Generator(5, 4, 30, 1, blocks=[(1, 2), (1, 2)])


def test_initial_weights():
    torch.manual_seed(0)
    paper = Generator(100, 32, 32, 3, init="dcgan")
    assert paper.layers[0].weight.std().item() == pytest.approx(0.02, rel=0.05)
    keras = Discriminator(32, 28, 1, init="glorot")
    limit = (6 / (32 * 16 + 64 * 16)) ** 0.5
    second = [m for m in keras.features if isinstance(m, nn.Conv2d)][1]
    assert second.weight.abs().max().item() <= limit
    assert second.weight.abs().max().item() == pytest.approx(limit, rel=0.01)
    assert second.bias.abs().max().item() == 0


def test_features_are_the_outputs_of_the_leaky_relus():
    torch.manual_seed(0)
    network = Discriminator(4, 8, 1, blocks=[(1, 2), (2, 2)], dropout=0.5, norm=True, features=True).eval()
    plain = Discriminator(4, 8, 1, blocks=[(1, 2), (2, 2)], dropout=0.5, norm=True).eval()
    plain.load_state_dict(network.state_dict())
    images = torch.randn(3, 1, 8, 8)
    judged = network(images)
    assert torch.equal(judged.logits, plain(images))
    assert [feature.shape for feature in judged.features] == [(3, 4, 4, 4), (3, 8, 2, 2)]
    assert torch.equal(judged.features[0], plain.features[:2](images))


def test_projection_adds_the_inner_product_with_the_class_vector():
    network = Discriminator(4, 8, 1, classes=3, projection=True)
    images, cond = torch.randn(5, 1, 8, 8), torch.tensor([0, 2, 1, 1, 0])
    flat = network.features(images).flatten(1)
    expected = network.head(flat).squeeze(1) + (network.embed.weight[cond] * flat).sum(1)
    assert torch.equal(network(images, cond), expected)
    assert count(network) == count(Discriminator(4, 8, 1)) + 3 * flat.shape[1]
    with pytest.raises(TypeError, match="class numbers"):
        network(images)


def test_projection_without_classes_changes_nothing():
    torch.manual_seed(0)
    network = Discriminator(4, 8, 1, projection=True)
    plain = Discriminator(4, 8, 1)
    plain.load_state_dict(network.state_dict())
    images = torch.randn(2, 1, 8, 8)
    assert torch.equal(network(images), plain(images))


def test_projection_of_packs_is_refused():
    with pytest.raises(ValueError, match="pack=2"):
        Discriminator(4, 8, 1, classes=3, projection=True, pack=2)
    assert Discriminator(4, 8, 1, projection=True, pack=2)(torch.zeros(4, 1, 8, 8)).shape == (
        2,
    )  # no class, nothing added
