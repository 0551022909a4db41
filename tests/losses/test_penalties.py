"""Penalties against critics whose gradients are known."""

import pytest
import torch
from torch import nn

from gantrain.losses.penalties import DRAGAN, R1, R2, GradientPenalty, HistoricalAveraging, PenaltyInputs, WGANDiv
from gantrain.ramps import Linear


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


@pytest.mark.parametrize("penalty", [R1(10.0), R2(10.0), GradientPenalty(10.0), WGANDiv()])
@pytest.mark.parametrize("decisions", [(4,), (3, 3), (1, 2, 5), (2, 2, 2, 2)])
def test_a_critic_of_many_decisions_is_penalised_as_one_that_says_their_mean(penalty, decisions):
    torch.manual_seed(0)
    x, weight = torch.randn(3, 6), torch.randn(6, *decisions)
    many = penalty(lambda x: torch.tensordot(x.square(), weight, 1), x)
    one = penalty(lambda x: torch.tensordot(x.square(), weight, 1).flatten(1).mean(1), x)
    assert many.item() == pytest.approx(one.item(), rel=1e-5)


def test_condition_is_passed_on():
    seen = []
    labels, embeddings = torch.tensor([4, 2]), torch.tensor([[0.5], [0.25]], dtype=torch.bfloat16)
    for cond in (labels, embeddings):
        R1(1.0)(lambda x, cond: (seen.append(cond), x.sum(1))[1], torch.randn(2, 3), cond)
    assert seen[0] is labels
    assert (seen[1].dtype, seen[1].tolist()) == (torch.float32, [[0.5], [0.25]])


def test_logits_without_graph_are_an_error_not_a_silent_zero():
    with pytest.raises(RuntimeError, match="no graph"):
        R1(1.0)(lambda x: x.detach().sum(1), torch.randn(2, 3))


def test_half_precision_and_autocast_do_not_reach_it():
    critic = nn.Linear(3, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        penalty = R1(1.0)(critic, torch.randn(2, 3).bfloat16())
    assert penalty.dtype == torch.float32
    assert penalty.item() == pytest.approx(0.5 * critic.weight.square().sum().item(), rel=1e-6)


def test_r2_looks_at_fakes_where_r1_looks_at_real_samples():
    real, fake = torch.ones(2, 3), torch.zeros(2, 3)
    assert R1(1.0).points(real, fake) is real
    assert R2(1.0).points(real, fake) is fake
    x = torch.tensor([[3.0, 4.0]])
    assert R2(2.0)(lambda x: 0.5 * x.square().sum(1), x).item() == pytest.approx(25.0)


@pytest.mark.parametrize("shape", [(2, 3), (2, 1, 2, 2), (2, 1, 2, 2, 2)])
def test_points_lie_on_the_lines_between_real_and_fake(shape):
    real, fake = torch.ones(shape), torch.full(shape, 5.0)
    points = GradientPenalty(10.0).points(real, fake, torch.tensor([0.25, 1.0]))
    assert torch.equal(points[0], torch.full(shape[1:], 4.0))  # a quarter real
    assert torch.equal(points[1], real[1])


def test_the_gradient_penalty_is_the_squared_distance_of_the_norm_to_one():
    # D(x) = |x|^2 / 2 has gradient x, of norms 5 and 1: (4^2 + 0^2) / 2
    x = torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    assert GradientPenalty(10.0)(lambda x: 0.5 * x.square().sum(1), x).item() == pytest.approx(80.0)
    critic = nn.Linear(2, 1, bias=False)
    nn.init.zeros_(critic.weight)
    GradientPenalty(1.0)(critic, x).backward()
    assert torch.equal(critic.weight.grad, torch.zeros(1, 2))  # the norm has no slope at zero, but a finite one


def test_wgan_div_is_a_power_of_the_norm():
    x = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    assert WGANDiv()(lambda x: 0.5 * x.square().sum(1), x).item() == pytest.approx(2 * (64 + 1) / 2)
    assert WGANDiv(3.0, power=2.0)(lambda x: 0.5 * x.square().sum(1), x).item() == pytest.approx(3 * (4 + 1) / 2)
    with pytest.raises(ValueError, match="power is 1"):
        WGANDiv(power=1)
    with pytest.raises(ValueError, match="every is 0"):
        R1(1.0, every=0)


@pytest.mark.parametrize("weight", [-1.0, Linear(1.0, -0.5, 100)])
def test_a_penalty_does_not_pay(weight):
    with pytest.raises(ValueError, match="it must not be negative"):
        R1(weight)


def test_dragan_looks_around_the_real_samples():
    real = torch.tensor([[1.0, 3.0], [5.0, 7.0]])  # of deviation sqrt(20 / 3)
    mix = torch.tensor([[0.0, 1.0], [0.5, 0.0]])
    step = 0.5 * (20 / 3) ** 0.5
    points = DRAGAN(10.0).points(real, torch.zeros(2, 2), mix)
    assert torch.allclose(points, torch.tensor([[1.0, 3.0 + step], [5.0 + step / 2, 7.0]]))
    assert DRAGAN(10.0).draws == "value"
    # D(x) = 3 x has slope 3 everywhere: 10 (3 - 1)^2
    assert DRAGAN(10.0)(lambda x: 3 * x[:, 0], real).item() == pytest.approx(40.0)


def test_the_line_between_two_packs_is_straight():
    seen = []
    critic = lambda x: (seen.append(x.detach()), x.view(2, -1).sum(1))[1]  # noqa: E731
    real, fake, mix = torch.ones(4, 3), torch.zeros(4, 3), torch.tensor([0.1, 0.9, 0.4, 0.6])
    for pack in (2, 1):
        GradientPenalty(1.0).at(PenaltyInputs(critic, real, fake, pack=pack), mix)
    assert torch.equal(seen[0], torch.tensor([0.1, 0.1, 0.4, 0.4])[:, None].expand(4, 3))
    assert torch.equal(seen[1], mix[:, None].expand(4, 3))


def test_a_critic_of_packs_is_penalised_by_the_pack():
    # D of a pair is the sum of both, with a gradient of ones: the norm is that of four numbers
    x = torch.randn(6, 2)
    penalty = GradientPenalty(1.0)(lambda x: x.reshape(3, 4).sum(1), x)
    assert penalty.item() == pytest.approx((2 - 1) ** 2)


def test_a_weight_that_is_given_replaces_its_own():
    x = torch.randn(4, 3)
    ramp = R1(Linear(1.0, 3.0, images=10), every=2)
    now = torch.tensor(1.5)
    assert ramp.at(PenaltyInputs(lambda x: x.sum(1), x, x), weight=now).item() == pytest.approx(1.5 * 2 * 3 / 2)


# ---- on weights ------------------------------------------------------------------------------------------------------


def paid(penalty, *values):
    """What weights (2,) and (1,) cost that are all the given value, turn after turn."""
    return [penalty.of_weights([nn.Parameter(torch.full((n,), value)) for n in (2, 1)]).item() for value in values]


def test_weights_pay_for_their_distance_to_their_own_mean_over_turns():
    """Means 1, 2, 3 of the weights 1, 3, 5."""
    assert paid(HistoricalAveraging(weight=2.0), 1.0, 3.0, 5.0) == pytest.approx([0.0, 2.0, 8.0])
    assert paid(HistoricalAveraging(weight=2.0, every=4), 1.0, 3.0) == pytest.approx([0.0, 8.0])


def test_the_parts_of_a_turn_count_once():
    penalty, weights = HistoricalAveraging(weight=2.0), [nn.Parameter(torch.ones(2))]
    penalty.of_weights(weights)
    three = [nn.Parameter(torch.full((2,), 3.0))]
    assert [penalty.of_weights(three, first=first).item() for first in (True, False)] == pytest.approx([2.0, 2.0])
    assert penalty.turns == 2


def test_its_gradient_points_to_the_mean():
    penalty, weight = HistoricalAveraging(weight=1.0), nn.Parameter(torch.tensor([0.0, 0.0]))
    penalty.of_weights([weight])
    with torch.no_grad():
        weight.copy_(torch.tensor([2.0, 4.0]))
    penalty.of_weights([weight]).backward()  # the means are 1 and 2, and half of the squares is 2 (w - m) / 2
    assert weight.grad.tolist() == pytest.approx([1.0, 2.0])


def test_the_means_go_on_where_they_stopped():
    straight, stopped, resumed = (HistoricalAveraging() for _ in range(3))
    wanted = paid(straight, 1.0, 2.0, 7.0, 4.0)
    paid(stopped, 1.0, 2.0)
    resumed.load_state_dict(stopped.state_dict(), torch.device("cpu"))
    assert paid(resumed, 7.0, 4.0) == wanted[2:]
    unused = HistoricalAveraging()
    unused.load_state_dict(HistoricalAveraging().state_dict(), torch.device("cpu"))
    assert paid(unused, 1.0) == [0.0]


@pytest.mark.parametrize("state", [{"turns": -1, "means": []}, {"turns": 2, "means": []}, {"turns": 1, "means": ["a"]}])
def test_means_that_none_could_have_left_are_refused(state):
    with pytest.raises(ValueError, match=r"averaging|means"):
        HistoricalAveraging().load_state_dict(state, torch.device("cpu"))
