"""What a critic pays for logits far from 0."""

import pytest
import torch

from gantrain.losses.drift import Drift


def test_it_is_the_weighted_mean_square():
    assert Drift(0.5)(torch.tensor([1.0, -3.0])).item() == pytest.approx(2.5)


def test_a_weight_must_be_positive():
    with pytest.raises(ValueError, match="weight is 0"):
        Drift(0)
