"""Scores from a classifier's probabilities: Inception Score, Mode Score, and which classes occur."""

import torch
from torch import Tensor

ROWS = 10_000  # in float64 at a time
SURE = 0.9
FOUND = 0.1  # share of a class among fakes, over that among real samples; errors of the classifier stay below


def inception_score(probabilities: Tensor) -> Tensor:
    """exp E_x KL(p(y|x) || p(y)) of probabilities (n, classes) (Salimans et al. 2016, arXiv 1606.03498).

    Computed over all samples at once, which gives a higher value than the mean of ten splits in papers. It lies between
    1 and the number of classes.
    """
    return within(probabilities).exp()


def mode_score(probabilities: Tensor, real_probabilities: Tensor) -> Tensor:
    """exp(E_x KL(p(y|x) || p(y)) - KL(p(y) || p_real(y))) (Che et al. 2017, arXiv 1612.02136).

    In the form of Xu et al. 2018 (arXiv 1806.07755). The original exponent, E_x KL(p(y|x) || p_real(y)) -
    KL(p(y) || p_real(y)), always equals that of the Inception Score, whatever the real classes are.
    """
    shown, real = (p.mean(0, dtype=torch.float64) for p in (probabilities, real_probabilities))
    return (within(probabilities) - divergence(shown, real)).exp()


def within(probabilities: Tensor) -> Tensor:
    """E_x KL(p(y|x) || p(y)) in float64."""
    of_all = probabilities.mean(0, dtype=torch.float64)
    return torch.cat([divergence(part.double(), of_all) for part in probabilities.split(ROWS)]).mean()


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """Kullback-Leibler divergence KL(p || q) in nats along the last axis; 0 log 0 is 0."""
    return (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum(-1)


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    """Jensen-Shannon divergence in nats, between 0 and log 2."""
    middle = (p + q) / 2
    return (divergence(p, middle) + divergence(q, middle)) / 2


def shares(probabilities: Tensor) -> Tensor:
    """For each class the share of samples for which it is the likeliest, (classes,)."""
    counts = probabilities.new_zeros(probabilities.shape[1], dtype=torch.float64)
    return counts.index_add_(0, probabilities.argmax(1), counts.new_ones(len(probabilities))) / len(probabilities)


def found(fake: Tensor, real: Tensor) -> Tensor:
    """How many classes of the real samples have at least a tenth of their real share among the fakes."""
    return ((fake >= FOUND * real) & (real > 0)).sum()


def sure_share(probabilities: Tensor) -> Tensor:
    """The share of samples for which the classifier gives a class more than 0.9."""
    return (probabilities.max(1).values > SURE).double().mean()


def accuracy(probabilities: Tensor, labels: Tensor) -> Tensor:
    """The share of samples that the classifier assigns to the requested class `labels` (n,)."""
    return (probabilities.argmax(1) == labels.to(probabilities.device)).double().mean()
