"""Optimizers as a device wants them, and their state wherever it goes on."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from gantrain.models.loop.optimizers import Rates, optimizer_for, why_not_captured
from gantrain.models.players import Player
from gantrain.models.schedules import LinearDecay
from gantrain.run.checkpoint import load_optimizer, optimizer_state


def stepped(optimizer, times=3):
    (weight,) = optimizer.param_groups[0]["params"]
    for i in range(times):
        weight.grad = torch.full_like(weight, float(i + 1))
        optimizer.step()
    return weight.detach().clone()


def made(kind=torch.optim.Adam, captured=False, **options):
    return optimizer_for(partial(kind, lr=0.1, **options), [nn.Parameter(torch.zeros(2, 3, 4, 4))], captured)


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.Adagrad])
def test_a_fused_step_is_the_same_step(kind):
    fused, plain = made(kind), made(kind, foreach=False)
    assert (fused.param_groups[0]["fused"], plain.param_groups[0]["fused"]) == (True, None)
    assert torch.allclose(stepped(fused), stepped(plain), atol=1e-6)


def test_a_class_that_cannot_be_fused_is_left_as_it_is():
    assert why_not_captured(made(torch.optim.RMSprop)) == "RMSprop has no step that runs on the GPU alone"
    assert why_not_captured(made()) is None


SCHEDULES = [
    partial(LinearDecay, start=3, end=20),
    partial(lr_scheduler.ExponentialLR, gamma=0.9),
    partial(lr_scheduler.CosineAnnealingLR, T_max=9),
    partial(lr_scheduler.ConstantLR, factor=0.5, total_iters=100),
    partial(lr_scheduler.OneCycleLR, max_lr=0.3, total_steps=30),
]


def scheduled(schedule, captured=False):
    player = Player(["generator"], partial(torch.optim.Adam, lr=0.1), schedule)
    optimizer = optimizer_for(player.optimizer, [nn.Parameter(torch.zeros(2))], captured)
    return Rates(player, optimizer), optimizer.param_groups[0]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_rates_are_those_that_torch_plays(schedule):
    weight = nn.Parameter(torch.zeros(2))
    plain = torch.optim.Adam([weight], lr=0.1)
    wanted, (rates, group) = schedule(plain), scheduled(schedule)
    for _ in range(12):
        assert (group["lr"], group["betas"]) == (plain.param_groups[0]["lr"], plain.param_groups[0]["betas"])
        plain.step()
        wanted.step()
        rates.step()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_rate_that_is_recorded_is_one_tensor_with_the_rates_of_every_device(schedule):
    (there, tensors), (here, numbers) = scheduled(schedule, captured=True), scheduled(schedule)
    rate = tensors["lr"]
    for _ in range(12):
        there.step()
        here.step()
        assert tensors["lr"] is rate
        assert torch.equal(rate, torch.tensor(numbers["lr"]))


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("captured", [False, True])
def test_a_schedule_goes_on_from_a_number_of_iterations_alone(schedule, captured):
    (straight, wanted), (resumed, group) = scheduled(schedule, captured), scheduled(schedule, captured)
    for _ in range(11):
        straight.step()
    group["lr"] = group["lr"] * 0 + 0.1 if captured else 0.1  # what a checkpoint's optimizer says meanwhile
    resumed.go_on(11)
    for _ in range(3):
        assert (float(group["lr"]), group["betas"]) == (float(wanted["lr"]), wanted["betas"])
        straight.step()
        resumed.step()


def test_a_schedule_of_momenta_too_cannot_be_recorded():
    assert [scheduled(schedule)[0].only_rates for schedule in SCHEDULES] == [True, True, True, True, False]


@pytest.mark.parametrize("before", [{"captured": True}, {"foreach": False}])
@pytest.mark.parametrize("after", [{"captured": True}, {"foreach": False}])
def test_a_state_goes_on_in_another_kind_of_step(before, after):
    straight, first, second = made(**after), made(**before), made(**after)
    stepped(first, 2)
    state = optimizer_state(first)
    assert isinstance(state["param_groups"][0]["lr"], float)
    flags = {key: second.param_groups[0][key] for key in ("fused", "foreach")}
    load_optimizer(second, state)
    assert {key: second.param_groups[0][key] for key in flags} == flags
    (weight,) = second.param_groups[0]["params"]
    with torch.no_grad():
        weight.copy_(first.param_groups[0]["params"][0])
    weight.grad = torch.full_like(weight, 3.0)
    second.step()
    assert torch.allclose(weight, stepped(straight), atol=1e-6)


def test_moments_lie_in_memory_as_their_weights_do():
    first, second = made(), made()
    stepped(first)
    (weight,) = second.param_groups[0]["params"]
    weight.data = weight.data.to(memory_format=torch.channels_last)
    load_optimizer(second, optimizer_state(first))
    moment = second.state[weight]["exp_avg"]
    assert moment.stride() == weight.stride()
    assert torch.equal(moment, first.state[first.param_groups[0]["params"][0]]["exp_avg"])
