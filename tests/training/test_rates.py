"""A checkpoint follows the rates and schedules of its config."""

import functools
from types import SimpleNamespace

import pytest
import torch
from torch.optim import Adam, lr_scheduler

from gantrain.models.players import Player
from gantrain.models.schedules import LinearDecay
from gantrain.run.checkpoint import optimizer_state, plain_schedule
from gantrain.training.rates import following

NODE = {"generator": {"optimizer": {"_target_": "torch.optim.Adam", "lr": 0.1, "betas": [0.5, 0.9]}}}
SCHEDULES = [
    None,
    functools.partial(LinearDecay, start=3, end=20),
    functools.partial(lr_scheduler.ExponentialLR, gamma=0.9),
    functools.partial(lr_scheduler.CosineAnnealingLR, T_max=9),
    functools.partial(lr_scheduler.LinearLR, total_iters=4),
    functools.partial(lr_scheduler.OneCycleLR, max_lr=0.3, total_steps=30),
]


def module(schedule, lr=0.1):
    player = Player(["generator"], functools.partial(Adam, lr=lr, betas=[0.5, 0.9]), schedule)
    return SimpleNamespace(players={"generator": player})


def after(iterations, schedule, lr=0.1):
    """The state of a player that has trained."""
    player = module(schedule, lr).players["generator"]
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = player.optimizer([weight])
    running = schedule and schedule(optimizer)
    for _ in range(iterations):
        weight.grad = torch.ones(2)
        optimizer.step()
        if running:
            running.step()
    schedules = {"generator": plain_schedule(running)} if running else {}
    return {"iteration": iterations, "optimizers": {"generator": optimizer_state(optimizer)}, "schedules": schedules}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_unchanged_it_is_the_same_bits(schedule):
    state = after(11, schedule)
    followed = following(state, module(schedule), NODE)
    assert followed["optimizers"]["generator"]["param_groups"] == state["optimizers"]["generator"]["param_groups"]
    assert followed["schedules"] == state["schedules"]


@pytest.mark.parametrize("now", SCHEDULES)
@pytest.mark.parametrize("before", SCHEDULES[:3])
def test_changed_it_is_the_rate_of_the_new_one_with_the_moments_of_the_old(before, now):
    state, wanted = after(11, before), after(11, now, lr=0.02)
    followed = following(state, module(now, lr=0.02), NODE)["optimizers"]["generator"]
    assert followed["state"] is state["optimizers"]["generator"]["state"]
    assert followed["param_groups"][0]["lr"] == wanted["optimizers"]["generator"]["param_groups"][0]["lr"]
