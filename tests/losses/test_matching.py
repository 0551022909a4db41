"""Feature matching by hand."""

import pytest
import torch

from gantrain.losses.matching import FeatureMatching


def test_the_squared_distance_of_means():
    """Means of the last layer (1, 2) and (4, 6): 3^2 + 4^2."""
    fake = [torch.zeros(2, 5), torch.tensor([[0.0, 2.0], [2.0, 2.0]])]
    real = [torch.ones(3, 5), torch.tensor([[4.0, 6.0], [4.0, 0.0], [4.0, 12.0]])]
    assert FeatureMatching(weight=0.5)(fake, real).item() == pytest.approx(12.5)
    assert FeatureMatching(layer=0)(fake, real).item() == pytest.approx(5.0)


def test_maps_are_compared_place_by_place():
    fake, real = torch.zeros(2, 1, 2, 2), torch.zeros(2, 1, 2, 2)
    fake[:, 0, 0, 0], real[:, 0, 1, 1] = 1.0, 1.0
    assert FeatureMatching()([fake], [real]).item() == pytest.approx(2.0)


def test_gradients_reach_the_fakes_alone():
    fake, real = torch.zeros(2, 3, requires_grad=True), torch.ones(2, 3, requires_grad=True)
    FeatureMatching()([fake], [real]).backward()
    assert fake.grad.abs().sum() > 0
    assert real.grad is None
