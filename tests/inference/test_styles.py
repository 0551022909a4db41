"""Walks between styles and their mixtures."""

from types import SimpleNamespace

import pytest
import torch

from gantrain.errors import UserError
from gantrain.inference.slerp import times
from gantrain.inference.styles import mixtures, moved, refuse_without_styles, straight


def test_a_straight_walk():
    a, b = torch.zeros(2, 3, 1), torch.tensor([[[1.0], [2.0], [3.0]], [[10.0], [20.0], [30.0]]])
    walk = straight(a, b, times(5, closed=False))
    assert walk.shape == (2, 5, 3, 1)
    assert walk[1, :, 2, 0].tolist() == [0, 7.5, 15, 22.5, 30]
    assert straight(a, b, times(4, closed=True))[0, :, 0, 0].tolist() == [0, 0.25, 0.5, 0.75]


def test_mixtures_take_some_layers_of_the_columns():
    rows, columns = torch.arange(4.0).view(2, 2, 1).repeat(1, 2, 1), 10 + torch.arange(12.0).view(3, 4, 1)
    mixed = mixtures(rows, columns, [0, 3])
    assert mixed.shape == (2, 3, 4, 1)
    assert mixed[1, 2, :, 0].tolist() == [18, 3, 2, 21]
    assert rows[1, :, 0].tolist() == [2, 3, 2, 3]  # left as they were


def test_mixing_with_itself_is_the_identity():
    styles = torch.randn(3, 4, 2)
    mixed = mixtures(styles, styles, [1, 2])
    assert torch.equal(mixed[range(3), range(3)], styles)


def test_a_run_without_styles_is_refused():
    with pytest.raises(UserError, match=r"^--psi: this run has no styles; name a run of StyleGAN2"):
        refuse_without_styles(SimpleNamespace(verbs=("sample",)), "--psi")
    refuse_without_styles(SimpleNamespace(verbs=("sample", "styles")), "--psi")


def test_moves_by_hand():
    style, directions = torch.ones(2, 1), torch.tensor([[[1.0], [0.0]], [[0.0], [2.0]]])
    assert moved(style, directions, torch.tensor([-1.0, 0.5])).flatten(2).tolist() == [
        [[0, 1], [1.5, 1]],
        [[1, -1], [1, 2]],
    ]
