"""Parts of a network that never train."""

import pytest
from torch import nn

from gantrain.networks.dcgan import Discriminator as Plain
from gantrain.networks.freezing import freeze_first
from gantrain.networks.stylegan2 import Discriminator


def frozen(network):
    return {name for name, weight in network.named_parameters() if not weight.requires_grad}


def test_the_first_parts_are_frozen_and_more_than_there_are_is_refused():
    parts = [nn.Linear(1, 1) for _ in range(3)]
    freeze_first(parts, 2)
    assert [part.weight.requires_grad for part in parts] == [False, False, True]
    for count in (-1, 4):
        with pytest.raises(ValueError, match=f"freeze is {count}, it must be from 0 to 3"):
            freeze_first(parts, count)


def test_of_stylegan2_they_are_the_largest_sizes():
    kept = frozen(Discriminator(width=2, size=16, channels=1, top=4, freeze=2))
    assert {name.split(".")[0] + name.split(".")[1] for name in kept} == {"from_rgb0", "blocks0"}


def test_of_dcgan_they_are_convolutions_with_what_follows():
    assert frozen(Plain(width=2, size=32, channels=1, norm=True, freeze=2)) == {
        *("features.0.weight", "features.0.bias", "features.2.weight", "features.2.bias"),
        *("features.3.weight", "features.3.bias"),
    }
