"""Checkpoints that hold other things than expected end in one sentence."""

import pytest
import torch
from toys import counts, game, play

from gantrain.errors import UserError
from gantrain.models.loop.ema import EMA
from gantrain.run.checkpoint import checkpoint_of, load_generators, load_networks


@pytest.fixture(scope="module")
def saved():
    module = play(game(ema=EMA(["generator"], 10)), 2)
    return checkpoint_of(module, "")


def resumed(state):
    module = game(ema=EMA(["generator"], 10), seed=1)
    module.resume_from = state
    return play(module, 3)


def test_it_goes_on_from_what_is_saved(saved):
    module = resumed(saved)
    assert (module.iteration, module.images_seen, module.turns["generator"]) == (3, 24, 3)
    assert counts(module)["generator/adv"] == 3


@pytest.mark.parametrize(
    ("key", "junk"),
    [
        ("networks", {"generator": 5}),
        ("networks", None),
        ("ema", {"generator": [1]}),
        ("optimizers", {"discriminator": 5}),
        ("optimizers", 5),
        ("iteration", "two"),
        ("turns", {"discriminator": None}),
        ("statistics", {"discriminator": "high"}),
        ("statistics", 5),
        ("meters", []),
        ("meters", [5]),
        ("rng", 5),
        ("rng", [5]),
        ("rng", [{"python": 1}]),
        ("rng", [{"python": [3, ["a"], None], "numpy": [1, 2, 3, 4, 5], "torch": "x"}]),
    ],
)
def test_values_of_other_kinds(saved, key, junk):
    for state in ({**saved, key: junk}, {k: v for k, v in saved.items() if k != key}):
        with pytest.raises(UserError, match=r"is not what the checkpoint holds .*; undo the edit"):
            resumed(state)


def test_networks_alone(saved):
    module = game(seed=3)
    load_networks(module, saved)
    assert torch.equal(module.networks["generator"].layers[0].weight, saved["networks"]["generator"]["layers.0.weight"])
    with pytest.raises(UserError, match="undo the edit"):
        load_networks(module, {"networks": {"generator": 5}})


def test_a_process_more_than_the_checkpoint_knew(saved):
    assert load_generators(saved, 0, torch.device("cpu"))
    assert not load_generators(saved, 1, torch.device("cpu"))
