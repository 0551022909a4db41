"""Samples as rows, and clusters of rows."""

import pytest
import torch

from gantrain.data.rows import cluster, small


def test_pictures_and_volumes_become_small_by_whole_factors():
    assert small(torch.zeros(2, 1, 28, 28)).shape == (2, 14 * 14)
    assert small(torch.zeros(2, 3, 16, 16)).shape == (2, 3 * 16 * 16)
    assert small(torch.zeros(2, 1, 32, 32, 32)).shape == (2, 8**3)
    assert small(torch.zeros(2, 5)).shape == (2, 5)
    picture = torch.zeros(1, 1, 32, 32)
    picture[..., :2, :2] = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    assert small(picture)[0, 0] == 3


def test_clusters_are_what_lies_together():
    rows = torch.tensor([[0.0], [0.2], [10.0], [10.4], [10.2]])
    centres = cluster(rows, 2, torch.Generator().manual_seed(0))
    assert sorted(centres[:, 0].tolist()) == pytest.approx([0.1, 10.2])
