"""Spherical walks, against values worked out by hand."""

import math

import pytest
import torch

from gantrain.inference.slerp import slerp, walk

ENDS = torch.tensor([0.0, 0.5, 1.0])


def test_a_quarter_turn():
    a, b = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    half = math.sqrt(2)
    torch.testing.assert_close(slerp(a, b, ENDS), torch.tensor([[2.0, 0.0], [half, half], [0.0, 2.0]]))
    third = slerp(a, b, torch.tensor([1 / 3]))[0]  # 30 degrees
    torch.testing.assert_close(third, torch.tensor([math.sqrt(3), 1.0]))


def test_whites_formula_for_vectors_of_equal_length():
    a, b = torch.randn(2, 100, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    b = b * a.norm() / b.norm()
    angle = torch.acos(a @ b / a.norm() ** 2)
    for t in (0.1, 0.7):
        expected = (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)
        torch.testing.assert_close(slerp(a, b, torch.tensor([t], dtype=torch.float64))[0], expected)


def test_lengths_go_linearly():
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 3.0])
    torch.testing.assert_close(slerp(a, b, ENDS).norm(dim=1), torch.tensor([1.0, 2.0, 3.0]))


def test_parallel_vectors():
    a = torch.tensor([1.0, 2.0, 2.0])
    torch.testing.assert_close(slerp(a, a, ENDS), a.expand(3, 3))
    torch.testing.assert_close(slerp(a, 3 * a, ENDS), torch.stack([a, 2 * a, 3 * a]))
    nearly = a + torch.tensor([1e-7, 0.0, 0.0])
    torch.testing.assert_close(slerp(a, nearly, ENDS), a.expand(3, 3))


def test_opposite_vectors_go_around_and_not_through_zero():
    a = torch.tensor([3.0, 0.0, 4.0])
    path = slerp(a, -a, torch.linspace(0, 1, 9))
    torch.testing.assert_close(path.norm(dim=1), torch.full((9,), 5.0))
    torch.testing.assert_close(path[[0, -1]], torch.stack([a, -a]))
    assert abs(path[4] @ a) < 1e-5  # half-way at a right angle
    assert torch.equal(path, slerp(a, -a, torch.linspace(0, 1, 9)))


@pytest.mark.parametrize(("a", "b"), [([0.0, 0.0], [0.0, 2.0]), ([0.0, 0.0], [0.0, 0.0]), ([1.0], [-1.0])])
def test_where_there_is_no_angle_there_is_no_nan_either(a, b):
    a, b = torch.tensor(a), torch.tensor(b)
    path = slerp(a, b, ENDS)
    assert torch.isfinite(path).all()
    torch.testing.assert_close(path[[0, 2]], torch.stack([a, b]))


def test_a_walk_passes_every_stop():
    stops = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    opened = walk(stops, 4)
    assert opened.shape == (2, 4, 5)
    torch.testing.assert_close(opened[:, 0], stops[:2])
    torch.testing.assert_close(opened[:, -1], stops[1:])
    closed = walk(stops, 4, closed=True)
    assert closed.shape == (3, 4, 5)
    torch.testing.assert_close(closed[:, 0], stops)
    back = slerp(stops[2], stops[0], torch.tensor([0.75]))[0]
    torch.testing.assert_close(closed[2, 3], back)  # the next frame would be the first
