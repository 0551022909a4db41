"""DiffAugment's parts by hand."""

import pytest
import torch

from gantrain.models.augment.diffaugment import DiffAugment, coloured, cut, shifted


def pictures(n=3, channels=3, side=8):
    return torch.randn(n, channels, side, side, generator=torch.Generator().manual_seed(0))


HALF = torch.full((3,), 0.5)


def test_in_the_middle_nothing_changes():
    x = pictures()
    assert torch.allclose(coloured(x, HALF, HALF, HALF), x, atol=1e-6)
    assert torch.equal(shifted(x, torch.full((3, 2), 0.5), 0.25), x)


def test_colours_by_hand():
    x, ends = pictures(), torch.tensor([0.0, 0.5, 1.0])
    assert torch.allclose(
        (coloured(x, ends, HALF, HALF) - x).mean((1, 2, 3)), torch.tensor([-0.5, 0.0, 0.5]), atol=1e-6
    )
    grey = coloured(x, HALF, torch.zeros(3), HALF)
    assert torch.allclose(grey, x.mean(1, keepdim=True).expand_as(x), atol=1e-6)
    one = coloured(x, HALF, HALF, ends)
    assert torch.allclose(one.std((1, 2, 3)) / x.std((1, 2, 3)), torch.tensor([0.5, 1.0, 1.5]), atol=1e-5)
    assert torch.allclose(one.mean((1, 2, 3)), x.mean((1, 2, 3)), atol=1e-6)


def test_a_shift_moves_by_whole_pixels_and_zeros_come_in():
    x = torch.arange(16.0).view(1, 1, 4, 4) + 1
    down = shifted(x, torch.tensor([[0.0, 0.5]]), 0.25)  # the place one above is shown: the picture moves down
    assert torch.equal(down[0, 0], torch.tensor([[0.0] * 4, *x[0, 0, :3].tolist()]))
    left = shifted(x, torch.tensor([[0.5, 0.999]]), 0.25)
    assert torch.equal(left[0, 0, :, :3], x[0, 0, :, 1:])
    assert torch.equal(left[0, 0, :, 3], torch.zeros(4))


def test_all_shifts_are_equally_likely():
    u = torch.rand(9000, 2, generator=torch.Generator().manual_seed(0))
    x = torch.zeros(1, 1, 8, 8)
    x[0, 0, 4, 4] = 1.0
    places = shifted(x.expand(9000, -1, -1, -1), u, 0.125).flatten(1).argmax(1)
    counts = torch.bincount(places, minlength=64)[torch.tensor([27, 28, 29, 35, 36, 37, 43, 44, 45])]
    assert counts.sum() == 9000
    assert (counts - 1000).abs().max() < 150


def test_a_hole_is_a_square_of_zeros_about_a_place():
    x = torch.ones(2, 1, 8, 8)
    holed = cut(x, torch.tensor([[0.5, 0.5], [0.0, 0.99]]), 0.5)
    assert (holed[0, 0] == 0).sum() == 16
    assert torch.equal(holed[0, 0, 2:6, 2:6], torch.zeros(4, 4))
    assert (holed[1, 0] == 0).sum() == 2 * 3  # the rest of it lies outside of the corner


def test_it_is_differentiable_twice():
    augment = DiffAugment(cutout=0.5)
    x = pictures(2, 3, 4).double().requires_grad_()
    u = torch.rand(2, 7, generator=torch.Generator().manual_seed(0)).double()
    assert torch.autograd.gradgradcheck(lambda x: augment(x, u).square().sum(), x)


@pytest.mark.parametrize("options", [{"shift": 1.0}, {"cutout": -0.1}, {"colour": False, "shift": 0.0}])
def test_what_changes_nothing_or_all_is_refused(options):
    with pytest.raises(ValueError, match=r"must be|all off"):
        DiffAugment(**options)
