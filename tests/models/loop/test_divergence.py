"""The first value that was not finite is remembered where it was met."""

import pytest
import torch

from gantrain.errors import Diverged
from gantrain.models.loop.divergence import Divergence
from gantrain.models.loop.turn import Turn


def turn(player, bad=False, loss=False):
    return Turn(player, [], [], None, 0, bad=torch.tensor(bad), bad_loss=torch.tensor(loss))


def test_the_first_one_stays():
    divergence = Divergence(["discriminator", "generator"], 10, torch.device("cpu"))
    assert not divergence.note([turn("discriminator"), turn("generator")])
    divergence.refuse()
    assert divergence.note([turn("discriminator"), turn("generator", bad=True)])
    assert divergence.note([turn("discriminator", bad=True, loss=True), turn("generator")])
    said = "the gradient of player 'generator' is not finite in iteration 12"
    assert divergence.told() == said
    with pytest.raises(Diverged, match=said):
        divergence.refuse()


def test_a_loss_is_told_from_a_gradient_and_idle_players_have_neither():
    divergence = Divergence(["critic"], 0, torch.device("cpu"))
    assert not divergence.note([Turn("critic", [], [], None, 0, plays=False)])
    divergence.note([turn("critic", bad=True, loss=True)])
    assert divergence.told() == "the loss of player 'critic' is not finite in iteration 2"
