"""Resampling through a filter: against zero insertion, and what it keeps."""

import pytest
import torch
import torch.nn.functional as F

from gantrain.networks.fir import Blur, Resample

LINE = torch.tensor([1.0, 3.0, 3.0, 1.0]).double()


def test_upwards_it_is_zero_insertion_and_the_filter():
    x = torch.randn(2, 3, 5, 5).double()
    spread = torch.zeros(2, 3, 10, 10).double()
    spread[:, :, ::2, ::2] = x
    kernel = (torch.outer(LINE, LINE) / 16).expand(3, 1, 4, 4)
    expected = F.conv2d(F.pad(spread, (2, 1, 2, 1)), kernel, groups=3)
    assert torch.allclose(Resample(up=True).double()(x), expected)


def test_downwards_it_is_the_filter_at_every_second_place():
    x = torch.randn(2, 3, 8, 8).double()
    kernel = (torch.outer(LINE, LINE) / 64).expand(3, 1, 4, 4)
    expected = F.conv2d(F.pad(x, (1, 2, 1, 2)), kernel, groups=3)[:, :, ::2, ::2]
    assert torch.allclose(Resample(up=False).double()(x), expected)


@pytest.mark.parametrize("up", [True, False])
def test_even_ground_stays_even_within_the_border(up):
    made = Resample(up)(torch.ones(1, 1, 8, 8))
    assert torch.allclose(made[:, :, 1:-1, 1:-1], torch.ones(1))


def test_it_has_nothing_to_save():
    assert Resample(up=True).state_dict() == {}


@pytest.mark.parametrize(("padding", "side"), [(1, 7), (2, 9)])
def test_blurred_is_filtered_at_every_place(padding, side):
    x = torch.randn(2, 3, 8, 8).double()
    kernel = (torch.outer(LINE, LINE) * 4 / 64).expand(3, 1, 4, 4)
    made = Blur(padding, gain=4).double()(x)
    assert made.shape == (2, 3, side, side)
    assert torch.allclose(made, F.conv2d(F.pad(x, (padding,) * 4), kernel, groups=3))


@pytest.mark.parametrize(
    "layer", [Resample(up=True), Resample(up=False), Blur(1, gain=4), Blur(2), Blur(1, taps=(1, 2, 1))]
)
def test_gradients_of_all_orders_are_those_of_the_convolution(layer):
    layer = layer.double()
    x = torch.randn(2, 2, 6, 6).double().requires_grad_(True)
    assert torch.autograd.gradcheck(layer, x)
    assert torch.autograd.gradgradcheck(layer, x)


def test_a_penalty_on_gradients_makes_no_convolution_for_each_channel():
    x = torch.randn(2, 16, 8, 8, requires_grad=True)
    with torch.profiler.profile() as seen:
        (gradient,) = torch.autograd.grad(Resample(up=False)(x).square().sum(), x, create_graph=True)
        gradient.square().sum().backward()
    assert sum(e.count for e in seen.key_averages() if e.key == "aten::convolution") < 16
