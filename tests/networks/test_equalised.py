"""Layers whose weights are N(0, 1) and scaled when used."""

import pytest
import torch

from gantrain.networks.equalised import EqConv, EqDense


def test_a_dense_layer_by_hand():
    layer = EqDense(4, 1, gain=3.0, bias=1.0)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
    # 3 / sqrt 4 times 10, and the bias
    assert layer(torch.ones(1, 4)).item() == pytest.approx(16.0)


def test_a_slow_layer_begins_as_a_fast_one_and_moves_less():
    torch.manual_seed(0)
    slow = EqDense(1000, 1000, bias=2.0, lr=0.01)
    assert slow.weight.std().item() == pytest.approx(100, rel=0.01)
    assert slow.bias.mean().item() == pytest.approx(200)
    made = slow(torch.randn(50, 1000))
    assert made.mean().item() == pytest.approx(2.0, abs=0.02)
    assert made.std().item() == pytest.approx(1.0, rel=0.02)
    made.sum().backward()
    assert slow.bias.grad.mean().item() == pytest.approx(50 * 0.01)


@pytest.mark.parametrize(("stride", "padding", "side"), [(1, None, 8), (2, 0, 3)])
def test_a_convolution_keeps_the_variance(stride, padding, side):
    torch.manual_seed(0)
    layer = EqConv(64, 64, 3, stride=stride, padding=padding)
    assert layer.weight.std().item() == pytest.approx(1.0, rel=0.02)
    made = layer(torch.randn(16, 64, 8, 8))
    assert made.shape == (16, 64, side, side)
    assert made[:, :, 1:-1, 1:-1].std().item() == pytest.approx(1.0, rel=0.1)
    assert EqConv(2, 3, 1, bias=False).bias is None
