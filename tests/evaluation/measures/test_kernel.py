import pytest
import torch

from gantrain.evaluation.measures.kernel import kernel_distance, squared_mmd


def draw(n, seed, shift=0.0):
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(seed)) + shift


def test_squared_mmd_of_two_pairs_by_hand():
    x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[2.0], [3.0]])
    # k(a, b) = (ab + 1)^3: within x 1, within y 343, across 1, 1, 27, 64
    assert squared_mmd(x, y) == pytest.approx(1 + 343 - 2 * (1 + 1 + 27 + 64) / 4)


def test_unbiased_on_equal_distributions():
    values = torch.tensor([squared_mmd(draw(20, 2 * i).double(), draw(20, 2 * i + 1).double()) for i in range(400)])
    assert values.mean().abs() < 3 * values.std() / len(values) ** 0.5
    assert (values < 0).any()  # a biased estimator never is


def test_the_standard_error_is_honest():
    results = [
        kernel_distance(draw(400, 2 * i), draw(400, 2 * i + 1), torch.Generator().manual_seed(0)) for i in range(60)
    ]
    spread = torch.tensor([value for value, _ in results]).std().item()
    claimed = sum(error for _, error in results) / len(results)
    assert 0.6 < claimed / spread < 1.6


def test_tells_distributions_apart():
    near, _ = kernel_distance(draw(400, 0), draw(400, 1, 0.2), torch.Generator().manual_seed(0))
    far, error = kernel_distance(draw(400, 0), draw(400, 1, 1.0), torch.Generator().manual_seed(0))
    assert far > near
    assert far > 5 * error


def test_one_sample_is_refused():
    with pytest.raises(ValueError, match="2 samples"):
        kernel_distance(draw(1, 0), draw(5, 1), torch.Generator())
