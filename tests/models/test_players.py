"""Players' own options."""

import pytest
import torch
from torch import nn
from toys import player

from gantrain.models.loop.turn import Turn
from gantrain.models.players import ClipWeights, PlaysWhen


def test_clip_weights_clamps_all_parameters():
    network = nn.Linear(3, 3)
    nn.init.constant_(network.weight, 5.0)
    nn.init.constant_(network.bias, -0.005)
    ClipWeights(0.01)(Turn("critic", [network], list(network.parameters()), None, 0))
    assert torch.all(network.weight == 0.01)
    assert torch.all(network.bias == -0.005)


def test_plays_when_plays_first_and_under_its_bound():
    condition = PlaysWhen("accuracy", 0.8)
    assert [condition(value) for value in (None, 0.79, 0.8, 0.9)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("every", 0),
        ("every", 1.5),
        ("clip_gradients", -1.0),
        ("loss_factor", 0),
        ("plays_when", {"statistic": "accuracy", "below": 0.8}),
    ],
)
def test_impossible_options_are_refused(option, value):
    with pytest.raises(ValueError, match=option):
        player("generator", **{option: value})
    with pytest.raises(ValueError, match="limit"):
        ClipWeights(0)
