"""Directions of a style space: by factorising weights, and by linear classifiers of labels."""

import pytest
import torch

from gantrain.inference.directions import by_labels, factorised


def test_factorised_by_hand():
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]])  # its columns are the directions
    weights = torch.diag(torch.tensor([1.0, 3.0])) @ turn.T
    found = factorised([weights[:1], weights[1:]], 2)
    assert found.tolist() == [pytest.approx([0.8, -0.6]), pytest.approx([0.6, 0.8])] or found.tolist() == [
        pytest.approx([-0.8, 0.6]),
        pytest.approx([0.6, 0.8]),
    ]


def test_they_change_styles_most_and_are_at_right_angles():
    torch.manual_seed(0)
    weights = [torch.randn(5, 4), torch.randn(6, 4)]
    found = factorised(weights, 3)
    assert torch.allclose(found @ found.T, torch.eye(3), atol=1e-6)

    def change(direction):
        return sum((part @ direction).square().sum() for part in weights).item()

    changes = [change(direction) for direction in found]
    assert changes == sorted(changes, reverse=True)
    others = torch.nn.functional.normalize(torch.randn(200, 4), dim=1)
    assert changes[0] >= max(change(other) for other in others)


def test_labels_that_lie_along_a_direction_are_found():
    torch.manual_seed(0)
    w, towards = 3 * torch.randn(2000, 4) + 5, torch.tensor([0.6, 0.0, -0.8, 0.0])
    labels = ((w - 5) @ towards > 0).long()
    labels[:3] = 2  # of which there are too few
    found = by_labels(w, labels)
    assert set(found) == {0, 1}
    direction, quality = found[1]
    assert direction.norm().item() == pytest.approx(1)
    assert direction @ towards > 0.99
    assert quality > 0.97
    assert found[0][0] @ towards < -0.99


def test_labels_that_styles_say_nothing_of_are_told_by_chance():
    torch.manual_seed(0)
    _, quality = by_labels(torch.randn(2000, 4), torch.randint(2, (2000,)))[0]
    assert 0.4 < quality < 0.6
