"""Age-cGAN's networks: parameter counts by hand, where the class goes in."""

import pytest
import torch
from torch import nn

from gantrain.networks.agecgan import Discriminator, Encoder, Generator
from gantrain.networks.dropout import Dropout


def count(network):
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def test_parameter_counts():
    encoder, generator = Encoder(100, 32, 64, 3), Generator(100, 6, 64, 64, 3)
    assert count(generator) == 34_852_099
    assert count(Discriminator(6, 64, 64, 3)) == 1_567_873
    assert count(encoder) == 18_278_180


def kinds(layers):
    return [type(layer) for layer in layers]


def test_the_order_of_layers_and_the_momenta_of_batch_norms():
    block = [nn.Upsample, nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU]
    stem = [nn.Linear, nn.LeakyReLU, Dropout, nn.Linear, nn.BatchNorm1d, nn.LeakyReLU, Dropout, nn.Unflatten]
    generator = Generator(5, 6, 4, 32, 3)
    assert kinds(generator.layers) == [*stem, *block, *block, nn.Upsample, nn.Conv2d, nn.Tanh]
    # Keras' momentum of 0.99 after the dense layer, 0.8 after the convolutions
    assert [m.momentum for m in generator.modules() if hasattr(m, "momentum")] == [0.01, 0.2, 0.2]
    down = [nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU]
    dense = [nn.Flatten, nn.Linear, nn.BatchNorm1d, nn.LeakyReLU, nn.Linear]
    assert kinds(Encoder(5, 4, 32, 3).layers) == [nn.Conv2d, nn.LeakyReLU, *down, *down, *down, *dense]
    assert kinds(Discriminator(6, 4, 32, 3).rest) == [*down, *down, *down, nn.Flatten, nn.Linear]
    assert nn.BatchNorm2d not in kinds(Discriminator(6, 4, 32, 3, norm=False).rest)


@pytest.mark.parametrize(("size", "channels"), [(16, 1), (48, 3), (64, 3)])
def test_shapes_at_every_size(size, channels):
    cond = torch.tensor([0, 5])
    made = Generator(7, 6, 4, size, channels)(torch.randn(2, 7), cond)
    assert made.shape == (2, channels, size, size)
    assert made.abs().max() <= 1
    assert Encoder(7, 4, size, channels)(made).shape == (2, 7)
    assert Discriminator(6, 4, size, channels)(made, cond).shape == (2,)


def test_the_class_moves_pictures_and_logits():
    torch.manual_seed(0)
    generator, discriminator = Generator(7, 6, 4, 16, 3).eval(), Discriminator(6, 4, 16, 3).eval()
    z = torch.randn(1, 7)
    a, b = (generator(z, torch.tensor([c])) for c in (0, 1))
    assert (a - b).abs().max() > 1e-4
    assert discriminator(a, torch.tensor([0])) != discriminator(a, torch.tensor([1]))


def test_the_label_enters_the_discriminator_spread_over_half_the_side():
    discriminator = Discriminator(6, 4, 32, 3)
    seen = []
    discriminator.rest.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    discriminator(torch.randn(2, 3, 32, 32), torch.tensor([2, 4]))
    label = seen[0][:, 4:]
    assert label.shape == (2, 6, 16, 16)
    wanted = torch.zeros(2, 6, 16, 16)
    wanted[0, 2] = wanted[1, 4] = 1
    assert torch.equal(label, wanted)


def test_sizes_that_do_not_fit():
    with pytest.raises(ValueError, match="multiple of 16"):
        Encoder(7, 4, 40, 3)
    with pytest.raises(ValueError, match="multiple of 8"):
        Generator(7, 6, 4, 36, 3)
    with pytest.raises(ValueError, match="multiple of 16"):
        Discriminator(6, 4, 40, 3)
