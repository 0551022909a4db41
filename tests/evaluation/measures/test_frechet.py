import numpy as np
import pytest
import scipy.linalg
import torch

from gantrain.evaluation.measures.frechet import frechet_distance, intra_class, moments, root_of


def gaussian(seed, d):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d))
    return rng.normal(size=d), root @ root.T / d


def tensors(*arrays):
    return [torch.from_numpy(array) for array in arrays]


def test_closed_form_of_axis_aligned_gaussians():
    # sum of (m1 - m2)^2 + (s1 - s2)^2, with deviations s
    mean, other = torch.tensor([0.0, 1.0]), torch.tensor([3.0, 1.0])
    c1, c2 = torch.diag(torch.tensor([4.0, 9.0])), torch.diag(torch.tensor([1.0, 25.0]))
    assert frechet_distance(mean, c1, other, c2) == pytest.approx(9 + 1 + 4, abs=1e-12)


@pytest.mark.parametrize("d", [2, 16, 64])
def test_equals_an_independent_computation(d):
    (m1, c1), (m2, c2) = gaussian(1, d), gaussian(2, d)
    expected = np.sum((m1 - m2) ** 2) + np.trace(c1 + c2 - 2 * scipy.linalg.sqrtm(c1 @ c2).real)
    assert frechet_distance(*tensors(m1, c1, m2, c2)) == pytest.approx(expected, abs=1e-6)


def test_is_symmetric_and_zero_between_equals():
    (m1, c1), (m2, c2) = gaussian(1, 8), gaussian(2, 8)
    there, back = frechet_distance(*tensors(m1, c1, m2, c2)), frechet_distance(*tensors(m2, c2, m1, c1))
    assert there == pytest.approx(back.item(), rel=1e-10)
    assert frechet_distance(*tensors(m1, c1, m2, c2), root_of(torch.from_numpy(c1))) == there
    assert frechet_distance(*tensors(m1, c1, m1, c1)) == pytest.approx(0, abs=1e-9)


def test_fewer_samples_than_features():
    x = torch.randn(5, 40, generator=torch.Generator().manual_seed(0))
    mean, covariance = moments(x)
    # moving all samples by a vector moves the distance by its square, whatever the covariance's rank
    assert frechet_distance(mean, covariance, mean + 2, covariance) == pytest.approx(160, abs=1e-5)


def test_moments_by_hand():
    mean, covariance = moments(torch.tensor([[0.0, 0.0], [2.0, 4.0]]))
    assert mean.tolist() == [1, 2]
    assert covariance.tolist() == [[2, 4], [4, 8]]
    with pytest.raises(ValueError, match="2 samples"):
        moments(torch.zeros(1, 3))


def test_intra_class_compares_within_classes():
    real = torch.tensor([[0.0], [2.0], [10.0], [12.0], [5.0]])
    fake = torch.tensor([[1.0], [3.0], [10.0], [12.0], [7.0]])
    labels = torch.tensor([0, 0, 1, 1, 2])
    assert intra_class(real, labels, fake, labels) == pytest.approx({0: 1.0, 1: 0.0})
    # classes exchanged: the union is the same, each class is far off
    swapped = intra_class(real, labels, fake, torch.tensor([1, 1, 0, 0, 2]))
    assert min(swapped.values()) > 80
