"""The length of a difference, by hand."""

import pytest
import torch

from gantrain.losses.euclidean import Euclidean


def test_the_mean_length_of_differences_by_hand():
    made, wanted = torch.tensor([[3.0, 4.0], [1.0, 1.0]]), torch.tensor([[0.0, 0.0], [1.0, 3.0]])
    assert Euclidean()(made, wanted).item() == pytest.approx((5 + 2) / 2)
    assert Euclidean(weight=0.1)(made, wanted).item() == pytest.approx(0.35)
    pictures = torch.ones(1, 3, 2, 2)
    assert Euclidean()(pictures, -pictures).item() == pytest.approx((12 * 4) ** 0.5)


def test_the_slope_at_zero_is_zero():
    made = torch.zeros(2, 3, requires_grad=True)
    Euclidean()(made, torch.zeros(2, 3)).backward()
    assert made.grad.abs().max() == 0


def test_half_precision_is_measured_in_full():
    made = torch.full((1, 1000), 300.0, dtype=torch.float16)  # its square is beyond half precision
    assert Euclidean()(made, torch.zeros(1, 1000)).item() == pytest.approx(300 * 1000**0.5, rel=1e-3)
