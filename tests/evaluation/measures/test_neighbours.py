import pytest
import torch

from gantrain.evaluation.measures.neighbours import KS, nearest, overlap, radii


def blobs(centres, n, seed, spread=0.1):
    generator = torch.Generator().manual_seed(seed)
    at = torch.tensor(centres, dtype=torch.float32).repeat_interleave(n, 0)
    return at + spread * torch.randn(at.shape, generator=generator)


MODES = [[0, 0], [10, 0], [0, 10], [10, 10]]


def means(real, fake):
    return {name: values.mean().item() for name, values in overlap(real, fake).items()}


def test_the_same_distribution():
    scores = means(blobs(MODES, 100, 0), blobs(MODES, 100, 1))
    assert scores["precision"] > 0.9
    assert scores["recall"] > 0.9
    assert scores["coverage"] > 0.9
    assert scores["density"] == pytest.approx(1, abs=0.15)


def test_half_of_the_modes_dropped():
    scores = means(blobs(MODES, 100, 0), blobs(MODES[:2], 200, 1))
    assert scores["precision"] > 0.9
    assert scores["recall"] == pytest.approx(0.5, abs=0.05)
    assert scores["coverage"] == pytest.approx(0.5, abs=0.05)


def test_collapsed():
    real = blobs(MODES, 100, 0)
    scores = means(real, real[:1].repeat(400, 1) + 1e-4 * blobs([[0, 0]], 400, 1))
    assert scores["precision"] == 1
    assert scores["recall"] < 0.01
    assert scores["coverage"] < 0.05


def test_somewhere_else():
    assert means(blobs(MODES, 50, 0), blobs([[50, 50]], 200, 1)) == dict.fromkeys(
        ("precision", "recall", "density", "coverage"), 0
    )


def test_density_forgives_no_outlier():
    # one far real sample has a ball over everything: precision is fooled by it, density hardly
    real = torch.cat([blobs([[0, 0]], 99, 0), torch.tensor([[30.0, 0.0]])])
    scores = means(real, blobs([[5, 0]], 100, 1))
    assert scores["precision"] == 1
    assert scores["density"] == pytest.approx(1 / 5, abs=1e-6)


def test_radii_by_hand():
    assert radii(torch.tensor([[0.0], [1.0], [3.0], [7.0]]), (1, 3)).tolist() == [[1, 7], [1, 6], [2, 4], [4, 7]]


def test_nearest_is_exact_for_copies():
    rows = 1000 * torch.randn(50, 64, generator=torch.Generator().manual_seed(0))
    distances, numbers = nearest(rows[10:20], rows)
    assert numbers.tolist() == list(range(10, 20))
    assert distances.tolist() == [0] * 10
    distances, numbers = nearest(rows, rows, torch.arange(50))
    assert (numbers != torch.arange(50)).all()
    assert distances.min() > 1000


def test_radii_that_are_known_are_not_measured():
    real, fake = blobs(MODES, 20, 0), blobs(MODES, 20, 1)
    asked, given = overlap(real, fake), overlap(real, fake, radii(real, KS))
    assert all(torch.equal(given[name], values) for name, values in asked.items())
    assert overlap(real, fake, torch.zeros(80, 2))["precision"].sum() == 0


def test_too_few_samples():
    with pytest.raises(ValueError, match="more than 5"):
        overlap(torch.zeros(5, 2), torch.zeros(50, 2))


def test_queries_pass_over_their_own_row_in_each_part():
    rows = torch.tensor([[0.0], [1.0], [5.0], [7.0], [20.0]])
    own = torch.arange(3)  # the queries are the first three rows
    assert nearest(rows[:3], rows[:2], own)[0].tolist() == [1, 1, 4]
    assert nearest(rows[:3], rows[2:4], own - 2)[0].tolist() == [5, 4, 2]
    assert nearest(rows[:3], rows[2:3], own - 2)[0].tolist() == [5, 4, torch.inf]  # nothing but itself
    assert nearest(rows[:3], rows[4:], own - 4)[0].tolist() == [20, 19, 15]
