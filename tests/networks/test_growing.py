"""Networks that stand at one of their sizes, and how they remember which."""

import copy

import pytest
import torch
from torch import nn

from gantrain.networks.growing import Growing, doubled, halved


def test_it_is_grown_up_until_it_is_told_otherwise():
    network = Growing(28)
    assert (network.sizes, network.active, network.side) == ([7, 14, 28], [7, 14, 28], 28)
    network.grow_to(14, 0.25)
    assert (network.active, network.grown.item(), network.fade.item()) == ([7, 14], 14, 0.25)
    with pytest.raises(ValueError, match="it grows through 7, 14, 28 pixels"):
        network.grow_to(56, 0.0)


def test_a_state_says_where_it_stands():
    network = Growing(32)
    network.grow_to(16, 0.5)
    other = Growing(32)
    other.load_state_dict(network.state_dict())
    assert (other.side, other.fade.item()) == (16, 0.5)
    inner = nn.Sequential(Growing(32))
    inner.load_state_dict(nn.Sequential(network).state_dict())
    assert inner[0].side == copy.deepcopy(network).side == 16


@pytest.mark.parametrize(
    "odd",
    [
        {"grown": torch.tensor(17)},
        {"grown": torch.tensor([16, 16])},
        {"grown": torch.tensor(float("nan"))},
        {"fade": torch.tensor(1.5)},
        {"fade": torch.tensor(float("nan"))},
    ],
)
def test_a_state_that_no_training_leaves_is_refused(odd):
    network = Growing(32)
    with pytest.raises(RuntimeError, match=r"grown is none of|fade is not"):
        network.load_state_dict({**network.state_dict(), **odd})
    assert network.side == 32


def test_mixed_is_exact_at_both_ends_and_in_proportion_between():
    network, old, new = Growing(16), torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8)
    for fade, made in ((0.0, old), (1.0, new)):
        network.grow_to(16, fade)
        assert torch.equal(network.mixed(old, new), made)
    network.grow_to(16, 0.25)
    assert torch.allclose(network.mixed(old, new), 0.75 * old + 0.25 * new, atol=1e-6)


def test_doubled_repeats_and_halved_takes_means():
    assert doubled(torch.tensor([[[[1.0, 2.0]]]])).tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]
    assert halved(torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])).item() == 3
