"""Players' own options."""

from functools import partial

import pytest
import torch
from torch import nn
from toys import game, play, player

from gantrain.models.loop.turn import Turn
from gantrain.models.players import ClipWeights, Player, PlaysWhen
from gantrain.ramps import Cosine, Linear


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


def changing(**options):
    return Player(["generator"], partial(torch.optim.Adam, **options))


def test_options_that_change_follow_the_images_seen():
    one = changing(lr=Linear(0.2, 0.1, images=100), betas=[0.0, Cosine(0.9, 0.99, images=100)])
    optimizer = one.optimizer([nn.Parameter(torch.zeros(1))])
    (group,) = optimizer.param_groups
    assert (group["lr"], group["betas"]) == (0.2, (0.0, 0.9))
    one.move(optimizer, 50)
    assert group["lr"] == pytest.approx(0.15)
    assert group["betas"] == pytest.approx((0.0, 0.945))
    rate = group["lr"] = torch.tensor(0.0)
    one.move(optimizer, 100)
    assert group["lr"] is rate  # where it stays for a recorded step
    assert rate.item() == pytest.approx(0.1)


def test_a_stopped_run_has_the_numbers_of_an_unbroken_one():
    rates = []

    class Rates(torch.optim.SGD):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    def trained(iterations, seen):
        module = game(generator=Player(["generator"], partial(Rates, lr=Linear(0.1, 0.0, images=64))))
        module.images_seen, module.iteration = seen, seen // 8
        play(module, iterations)

    trained(8, 0)
    straight, rates[:] = list(rates), []
    trained(4, 0)
    trained(8, 32)
    assert rates == straight == pytest.approx([0.1 - 0.0125 * i for i in range(8)])


def test_changing_options_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"optimizer\.betas reaches 1"):
        changing(lr=0.1, betas=[0.0, Linear(0.9, 1.0, images=10)])
    with pytest.raises(ValueError, match=r"optimizer\.lr is 0.1 to -0.1"):
        changing(lr=Linear(0.1, -0.1, images=10))
    with pytest.raises(ValueError, match="leave one out"):
        Player(["generator"], partial(torch.optim.SGD, lr=Linear(0.1, 0.0, images=10)), schedule=lambda o: None)
