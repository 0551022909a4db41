"""The multilayer perceptrons: parameter counts by hand, and the course's own checks."""

import torch
from torch import nn

from gantrain.networks.mlp import Discriminator, Generator


def count(network):
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def course_generator(**options):
    options = {"hidden": [1, 2, 4, 6.125], **options}
    return Generator(64, 128, 28, 1, batch_norm=True, slope=0.0, output="sigmoid", **options)


def test_parameter_counts():
    assert count(course_generator()) == 1_193_920
    assert count(course_generator(hidden=[1, 2, 4, 8])) == 1_505_680
    assert count(Generator(100, 256, 28, 1)) == 1_486_352
    assert count(Discriminator(512, 28, 1)) == 533_505
    assert count(Generator(100, 500, 28, 1, hidden=[1, 1])) == 693_784
    assert count(Discriminator(500, 28, 1, hidden=[1, 1])) == 643_501


def test_a_block_is_linear_norm_relu():
    block = course_generator().layers[0]
    assert [type(layer) for layer in block] == [nn.Linear, nn.BatchNorm1d, nn.ReLU]


def test_the_courses_unit_checks_on_deviations():
    torch.manual_seed(0)
    generator = course_generator()
    made = generator(torch.randn(1000, 64)).flatten(1)
    assert made.shape == (1000, 784)
    assert made.min() > 0
    assert made.max() < 1
    assert 0.05 < made.std() < 0.15
    assert 0.55 < generator.layers[0](torch.randn(1000, 64)).std() < 0.65


def test_the_discriminator_gives_logits():
    torch.manual_seed(0)
    discriminator = Discriminator(512, 28, 1, hidden=[1, 0.5, 0.25])
    assert not any(isinstance(layer, nn.Sigmoid) for layer in discriminator.modules())
    assert discriminator(torch.rand(5, 1, 28, 28)).shape == (5,)


def test_colour_and_size_are_arguments():
    assert Generator(8, 4, 12, 3)(torch.randn(2, 8)).shape == (2, 3, 12, 12)


def test_features_are_the_outputs_of_the_hidden_layers():
    network = Discriminator(8, 4, 1, features=True)
    images = torch.rand(3, 1, 4, 4)
    judged = network(images)
    assert [feature.shape for feature in judged.features] == [(3, 8), (3, 4)]
    assert torch.equal(judged.logits, network.layers(images).squeeze(1))
    assert torch.equal(judged.features[1], network.layers[:3](images))
