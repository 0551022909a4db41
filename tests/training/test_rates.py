"""A checkpoint follows the options of its config's optimizers."""

import functools
from types import SimpleNamespace

import torch
from torch.optim import Adam

from gantrain.models.players import Player
from gantrain.run.checkpoint import optimizer_state
from gantrain.training.rates import following

NODE = {"generator": {"optimizer": {"_target_": "torch.optim.Adam", "lr": 0.1, "betas": [0.5, 0.9]}}}


def module(lr):
    player = Player(["generator"], functools.partial(Adam, lr=lr, betas=[0.5, 0.9]))
    return SimpleNamespace(players={"generator": player})


def state_after_a_step(lr):
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = module(lr).players["generator"].optimizer([weight])
    weight.grad = torch.ones(2)
    optimizer.step()
    return {"iteration": 1, "optimizers": {"generator": optimizer_state(optimizer)}}


def test_unchanged_it_is_the_same():
    state = state_after_a_step(lr=0.1)
    followed = following(state, module(lr=0.1), NODE)
    assert followed["optimizers"]["generator"]["param_groups"] == state["optimizers"]["generator"]["param_groups"]


def test_changed_it_is_the_new_rate_with_the_moments_of_the_old():
    state = state_after_a_step(lr=0.1)
    followed = following(state, module(lr=0.02), NODE)["optimizers"]["generator"]
    assert followed["state"] is state["optimizers"]["generator"]["state"]
    assert followed["param_groups"][0]["lr"] == 0.02
