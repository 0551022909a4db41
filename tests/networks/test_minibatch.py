"""How much the samples of a group vary, by hand."""

import pytest
import torch

from gantrain.networks.minibatch import MinibatchDeviation


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_deviation_of_each_group_becomes_a_channel(rank):
    """Groups of two are samples 0 and 2, 1 and 3: deviations 3 and 0, the same in every feature and place."""
    values = torch.tensor([0.0, 5.0, 6.0, 5.0]).view(4, *[1] * (rank + 1))
    x = values.expand(4, 3, *[2] * rank)
    y = MinibatchDeviation(2)(x)
    assert y.shape == (4, 4, *[2] * rank)
    assert torch.equal(y[:, :3], x)
    wanted = torch.tensor([3.0, 1e-4, 3.0, 1e-4]).view(4, *[1] * rank)
    assert torch.allclose(y[:, 3], wanted.expand(4, *[2] * rank))


def test_it_is_the_mean_over_features_and_places():
    """Deviations 1 and 3 of the two places of one feature, 0 and 4 of the other's."""
    x = torch.tensor([[[0.0, 0.0], [7.0, 0.0]], [[2.0, 6.0], [7.0, 8.0]]])
    assert MinibatchDeviation(2)(x)[:, 2] == pytest.approx(2.0, abs=1e-3)


@pytest.mark.parametrize(("n", "groups"), [(6, 2), (5, 1), (3, 1), (1, 1)])
def test_a_group_that_does_not_divide_the_batch_gets_smaller(n, groups):
    """Of 4 at most: 3 for a batch of 6, and all 3 of 3; 1 for one of 5, where nothing varies."""
    deviations = MinibatchDeviation(4)(torch.randn(n, 2, 3, generator=torch.Generator().manual_seed(0)))[:, 2, 0]
    assert len(deviations.unique()) == groups
    assert (deviations > 0.01).all() == (n in (6, 3))


def test_equal_samples_have_finite_gradients():
    x = torch.ones(4, 2, 3, requires_grad=True)
    MinibatchDeviation(4)(x).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_a_group_of_one_is_refused():
    with pytest.raises(ValueError, match="group is 1"):
        MinibatchDeviation(1)
