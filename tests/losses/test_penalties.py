"""Penalties against critics whose gradients are known."""

import pytest
import torch
from torch import nn

from gantrain.losses.penalties import R1


@pytest.mark.parametrize("shape", [(5, 7), (5, 2, 3, 4), (5, 1, 2, 3, 4)])
def test_r1_of_a_quadratic_critic(shape):
    # D(x) = |x|^2 / 2 has gradient x: R1 is gamma / 2 times the mean of |x|^2
    torch.manual_seed(0)
    x = torch.randn(shape)
    penalty = R1(weight=10.0)(lambda x: 0.5 * x.flatten(1).square().sum(1), x)
    assert penalty.item() == pytest.approx(5.0 * x.flatten(1).square().sum(1).mean().item(), rel=1e-5)


def test_r1_of_a_linear_critic_ignores_the_point():
    weight = torch.arange(6.0)
    penalty = R1(weight=2.0)(lambda x: x.flatten(1) @ weight, torch.randn(3, 1, 2, 3))
    assert penalty.item() == pytest.approx(weight.square().sum().item())


def test_lazy_penalty_pulls_as_hard_on_average():
    x = torch.randn(4, 3)

    def critic(x):
        return x.square().sum(1)

    assert R1(1.0, every=8)(critic, x).item() == pytest.approx(8 * R1(1.0)(critic, x).item())
    assert [R1(1.0, every=3).due(turn) for turn in range(7)] == [True, False, False, True, False, False, True]


def test_it_trains_the_critic():
    critic = nn.Linear(3, 1)
    R1(1.0)(critic, torch.randn(4, 3)).backward()
    assert torch.allclose(critic.weight.grad, critic.weight, atol=1e-6)  # d/dw |w|^2 / 2 = w


def test_condition_is_passed_on():
    seen = []
    R1(1.0)(lambda x, cond: (seen.append(cond), x.sum(1))[1], torch.randn(2, 3), "label")
    assert seen == ["label"]


def test_logits_without_graph_are_an_error_not_a_silent_zero():
    with pytest.raises(RuntimeError, match="no graph"):
        R1(1.0)(lambda x: x.detach().sum(1), torch.randn(2, 3))


def test_half_precision_and_autocast_do_not_reach_it():
    critic = nn.Linear(3, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        penalty = R1(1.0)(critic, torch.randn(2, 3).bfloat16())
    assert penalty.dtype == torch.float32
    assert penalty.item() == pytest.approx(0.5 * critic.weight.square().sum().item(), rel=1e-6)
