import math

import pytest
import torch

from gantrain.evaluation.measures.classes import (
    accuracy,
    divergence,
    found,
    inception_score,
    jensen_shannon,
    mode_score,
    shares,
    sure_share,
)

SURE = torch.eye(4)
UNSURE = torch.full((4, 4), 0.25)


def test_inception_score_by_hand():
    assert inception_score(SURE) == pytest.approx(4)  # sure of each, all classes alike
    assert inception_score(UNSURE) == pytest.approx(1)
    assert inception_score(SURE[:1].repeat(8, 1)) == pytest.approx(1)  # sure, and always of the same
    p = torch.tensor([[0.9, 0.1], [0.3, 0.7]])
    kl = 0.9 * math.log(0.9 / 0.6) + 0.1 * math.log(0.1 / 0.4) + 0.3 * math.log(0.3 / 0.6) + 0.7 * math.log(0.7 / 0.4)
    assert inception_score(p) == pytest.approx(math.exp(kl / 2), rel=1e-6)


def test_mode_score_by_hand():
    assert mode_score(SURE, SURE) == pytest.approx(4)
    # two of four classes: the Inception Score is 2, and KL((1/2, 1/2, 0, 0) || 1/4) = log 2 takes it down to 1
    assert mode_score(SURE[:2], SURE) == pytest.approx(1)
    # the same two classes where real samples show no others
    assert mode_score(SURE[:2], SURE[:2]) == pytest.approx(2)


def test_divergences_by_hand():
    half, all_one = torch.tensor([0.5, 0.5]).double(), torch.tensor([1.0, 0.0]).double()
    assert divergence(all_one, half).item() == pytest.approx(math.log(2))
    assert divergence(half, all_one).item() == math.inf
    assert jensen_shannon(all_one, torch.tensor([0.0, 1.0]).double()).item() == pytest.approx(math.log(2))
    assert jensen_shannon(half, half).item() == 0
    assert jensen_shannon(half, all_one).item() == pytest.approx(jensen_shannon(all_one, half).item())


def test_shares_and_classes_found():
    p = SURE[torch.tensor([0, 0, 0, 1])]
    assert shares(p).tolist() == [0.75, 0.25, 0, 0]
    real = torch.full((4,), 0.25)
    assert found(shares(p), real) == 2
    assert found(torch.tensor([0.98, 0.02, 0, 0]), real) == 1  # 2% is what a classifier's mistakes give
    assert found(shares(p), torch.tensor([0.5, 0, 0.5, 0])) == 1  # of classes that real samples have


def test_sure_is_above_0_9():
    assert sure_share(torch.tensor([[0.95, 0.05], [0.9, 0.1], [0.5, 0.5], [0.01, 0.99]])) == 0.5


def test_accuracy_by_hand():
    assert accuracy(torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]]), torch.tensor([0, 1, 0])) == pytest.approx(2 / 3)
