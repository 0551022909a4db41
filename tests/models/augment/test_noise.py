"""Instance noise: how much, until when."""

import pytest
import torch

from gantrain.models.augment.noise import InstanceNoise
from gantrain.ramps import Cosine


class Game:
    def __init__(self, images_seen):
        self.images_seen = images_seen

    def noise(self, batch, *shape, key):
        return torch.ones(2, *shape)


def test_it_falls_in_a_straight_line_and_then_costs_nothing():
    noise, like = InstanceNoise(std=0.4, images=100), torch.zeros(2, 3, 4, 4)
    assert noise.drawn(Game(25), {}, like, "key").shape == like.shape
    assert torch.allclose(noise(like + 1, noise.drawn(Game(25), {}, like, "key")), torch.tensor(1.3))
    assert [noise.drawn(Game(seen), {}, like, "key") for seen in (100, 500)] == [None, None]
    assert torch.allclose(InstanceNoise(std=0.4).drawn(Game(10**9), {}, like, "key"), torch.tensor(0.4))


def test_a_deviation_may_change_in_another_way():
    noise = InstanceNoise(std=Cosine(0.0, 0.4, images=100))
    assert noise.drawn(Game(0), {}, torch.zeros(2, 1), "key") is None
    assert torch.allclose(noise.drawn(Game(50), {}, torch.zeros(2, 1), "key"), torch.tensor(0.2))
    with pytest.raises(ValueError, match="images is 5, but std says itself over how many it changes"):
        InstanceNoise(std=Cosine(0.1, 0.0, images=100), images=5)


@pytest.mark.parametrize("options", [{"std": 0.0}, {"std": -1.0}, {"images": 0}])
def test_what_is_no_noise_is_refused(options):
    with pytest.raises(ValueError, match="must be"):
        InstanceNoise(**options)
