"""Layer outputs and their pooling, by hand."""

import pytest
import torch
from torch import nn

from gantrain.inference.layer_outputs import LayerOutputs, max_pooled, takes_cond
from gantrain.networks import dcgan, mlp
from gantrain.networks.critique import Critique
from gantrain.networks.gan3d import Discriminator


def test_pooled_by_hand():
    maps = torch.arange(16.0).view(1, 1, 4, 4)
    assert max_pooled(maps, 2).tolist() == [[5, 7, 13, 15]]
    assert max_pooled(maps).shape == (1, 16)  # pictures: 4 by 4
    assert max_pooled(torch.zeros(3, 5, 8, 8, 8)).shape == (3, 5 * 8)  # volumes: 2 by 2 by 2
    assert max_pooled(torch.zeros(3, 5, 1, 1, 1), 4).shape == (3, 5)  # smaller already
    assert max_pooled(torch.zeros(3, 7), 4).shape == (3, 7)


def test_of_projection_the_class_moves_no_layer():
    judge, pictures = dcgan.Discriminator(4, 8, 1, classes=3, projection=True), torch.randn(2, 1, 8, 8)
    cat, dog = torch.tensor([0, 0]), torch.tensor([2, 2])
    assert not torch.equal(judge(pictures, cat), judge(pictures, dog))
    with LayerOutputs(judge) as outputs_of:
        assert all(map(torch.equal, outputs_of(pictures, cat), outputs_of(pictures, dog)))


def test_the_papers_features_have_7168_numbers():
    network = Discriminator(64, 64)
    with LayerOutputs(network) as outputs_of, torch.no_grad():
        outputs = outputs_of(torch.zeros(2, 1, 64, 64, 64))
    assert [tuple(o.shape[1:]) for o in outputs] == [
        (64, *[32] * 3),
        (128, *[16] * 3),
        (256, *[8] * 3),
        (512, *[4] * 3),
    ]
    assert sum(max_pooled(o).shape[1] for o in outputs[1:]) == 7168


def test_outputs_are_those_of_activations_in_the_order_of_the_pass():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3), nn.Tanh(), nn.Linear(3, 1))
    x = torch.randn(2, 1, 4, 4)
    with LayerOutputs(network) as outputs_of:
        first, second = outputs_of(x)
        assert len(outputs_of(x)) == 2  # not gathered over calls
    assert torch.equal(first, network[:2](x))
    assert torch.equal(second, network[:5](x))
    assert not any(part._forward_hooks for part in network.modules())


def test_without_activation_modules_those_of_the_layers_but_the_last():
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 3), nn.Linear(3, 1)

        def forward(self, x):
            return self.b(self.a(x).relu())

    network, x = Functional(), torch.randn(2, 4)
    with LayerOutputs(network) as outputs_of:
        (output,) = outputs_of(x)
    assert torch.equal(output, network.a(x))


def test_a_critiques_own_features_come_first():
    class Telling(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(4, 3), nn.ReLU())

        def forward(self, x):
            return Critique(self.layers(x).sum(1), (x, 2 * x))

    x = torch.randn(2, 4)
    with LayerOutputs(Telling()) as outputs_of:
        assert [o.tolist() for o in outputs_of(x)] == [x.tolist(), (2 * x).tolist()]


@pytest.mark.parametrize(
    ("forward", "wanted"),
    [
        (lambda self, x: x, False),
        (lambda self, x, cond: x, True),
        (lambda self, x, cond=None: x, False),
        (lambda self, x, *, deep=1: x, False),
    ],
)
def test_who_takes_a_condition(forward, wanted):
    assert takes_cond(type("Network", (nn.Module,), {"forward": forward})()) is wanted


def test_a_network_that_may_take_classes_says_whether_it_does():
    assert takes_cond(mlp.Discriminator(4, 8, 1, classes=3))
    assert not takes_cond(mlp.Discriminator(4, 8, 1, auxiliary=3))
