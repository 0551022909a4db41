"""Directions in a run's style space along which pictures change in one way: found without labels, and by labels."""

from collections.abc import Sequence

import torch
from torch import Tensor

HELD_BACK = 5  # every fifth style is not fitted on and says how good a classifier is
FEWEST = 10  # styles of a class, and of others, without which nothing is fitted


def factorised(weights: Sequence[Tensor], count: int) -> Tensor:
    """The `count` unit directions (count, w_dim) that change the styles of layers most (SeFa, Shen and Zhou 2021).

    `weights` (k, w_dim) make the layers' styles of w: the directions are the first eigenvectors of A^T A, with A all of
    them. They are at right angles, the strongest first; each points where its largest number is positive.
    """
    joined = torch.cat([part.detach().double() for part in weights])
    _, vectors = torch.linalg.eigh(joined.T @ joined)  # the smallest first
    found = vectors.flip(1).T[:count]
    largest = found.gather(1, found.abs().argmax(1, keepdim=True))
    return (found * largest.sign()).float()


def by_labels(w: Tensor, labels: Tensor) -> dict[int, tuple[Tensor, float]]:
    """By class: the unit direction (w_dim,) towards it, and how well it tells the class from others.

    It is the normal of a linear classifier, of one class against the rest, on styles `w` (n, w_dim) and the `labels`
    (n,) of their pictures (Shen et al. 2020, arXiv 1907.10786). How well: the mean of both sides' shares that are told
    right among styles that were not fitted on; 0.5 is chance. Classes that are hardly made have none.
    """
    from sklearn.linear_model import LogisticRegression  # a second of imports

    scaled = ((w - w.mean(0)) / (w - w.mean(0)).square().mean().sqrt()).double()
    held = torch.arange(len(w)) % HELD_BACK == 0
    found = {}
    for number in labels.unique().tolist():
        ours = labels == number
        if any(int((ours[rows] == side).sum()) < FEWEST for rows in (held, ~held) for side in (True, False)):
            continue
        classifier = LogisticRegression(class_weight="balanced", max_iter=1000)
        classifier.fit(scaled[~held].numpy(), ours[~held].numpy())
        right = torch.from_numpy(classifier.predict(scaled[held].numpy())) == ours[held]
        quality = (right[ours[held]].double().mean() + right[~ours[held]].double().mean()).item() / 2
        normal = torch.from_numpy(classifier.coef_[0]).float()
        found[number] = normal / normal.norm(), quality
    return found
