"""Optimizers as a device wants them, and their state wherever it goes on."""

from functools import partial

import pytest
import torch
from torch import nn

from gantrain.models.loop.optimizers import optimizer_for, why_not_captured
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


def test_a_rate_that_is_recorded_is_a_tensor_that_a_schedule_changes_in_place():
    optimizer = made(captured=True)
    rate = optimizer.param_groups[0]["lr"]
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    stepped(optimizer, 1)
    schedule.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.05)


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
