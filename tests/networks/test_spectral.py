"""Spectral norm of whole networks: the bound, what moves its estimate, what keeps it."""

import pytest
import torch
from torch import nn

from gantrain.networks.dcgan import Discriminator
from gantrain.networks.equalised import EqDense
from gantrain.networks.init import initialise
from gantrain.networks.spectral import bound_spectral_norms, is_bounded


def discriminator():
    torch.manual_seed(0)
    return Discriminator(4, 8, 1, spectral=True)


def estimates(network):
    return {name: value.clone() for name, value in network.named_buffers()}


def test_the_largest_singular_value_of_every_layer_is_one():
    network = discriminator()
    images = torch.randn(2, 1, 8, 8)
    for _ in range(50):
        network(images)
    network.eval()
    layers = [part for part in network.modules() if isinstance(part, (nn.Conv2d, nn.Linear))]
    assert len(layers) == 2
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1.0, abs=1e-3)


def test_looking_does_not_move_the_estimate_and_training_does():
    network, images = discriminator(), torch.randn(2, 1, 8, 8)
    before = estimates(network)
    network.eval()(images)
    assert all(torch.equal(value, before[name]) for name, value in estimates(network).items())
    network.train()(images)
    assert not all(torch.equal(value, before[name]) for name, value in estimates(network).items())


def test_the_estimate_is_saved():
    network, images = discriminator(), torch.randn(2, 1, 8, 8)
    network(images)
    torch.manual_seed(1)
    again = Discriminator(4, 8, 1, spectral=True)
    again.load_state_dict(network.state_dict())
    for _ in range(2):  # in train mode, so the estimates move alike
        assert torch.equal(network(images), again(images))


def test_weights_are_those_of_the_same_network_without_it():
    torch.manual_seed(0)
    plain = Discriminator(4, 8, 1)
    network = discriminator()
    assert torch.equal(network.head.parametrizations.weight.original, plain.head.weight)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_initialising_what_is_normed_already_is_refused():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(2, 1))
    bound_spectral_norms(network)
    for late in (network, nn.utils.spectral_norm(nn.Linear(2, 1))):
        with pytest.raises(ValueError, match="init 'glorot' comes too late for a"):
            initialise(late, "glorot")


def test_a_matrix_that_no_norm_bounds_leaves_the_whole_network_free():
    assert is_bounded(Discriminator(4, 8, 1, spectral=True))
    assert not is_bounded(Discriminator(4, 8, 1, spectral=True, minibatch={"kind": "discrimination"}))
    assert is_bounded(Discriminator(4, 8, 1, spectral=True, minibatch={"kind": "deviation"}))
    assert not is_bounded(EqDense(3, 1))


def test_embeddings_are_bounded_as_well():
    network = nn.Sequential(nn.Embedding(5, 3))
    assert not is_bounded(network)
    bound_spectral_norms(network)
    assert is_bounded(network)
    for _ in range(50):
        network(torch.tensor([1]))
    assert torch.linalg.matrix_norm(network.eval()[0].weight, 2).item() == pytest.approx(1.0, abs=1e-3)
