"""Contrastive losses: which caption of a batch belongs to which picture, and the other way round."""

import torch
import torch.nn.functional as F
from torch import Tensor

from gantrain.networks.precision import in_float32


class InfoNCE:
    """The mean of two cross-entropies: of the right caption for each picture, and of the right picture for each caption
    (InfoNCE, van den Oord et al. 2018, in the symmetric form of Radford et al. 2021, arXiv 2103.00020).

    Embeddings of texts are normalised to length 1, so the length of a picture's embedding is the inverse temperature.
    Other pairs that belong together as well, `also` (n, n), are left out.
    """

    def __call__(self, texts: Tensor, pictures: Tensor, also: Tensor) -> Tensor:
        scores = products(F.normalize(texts.float(), dim=1), pictures).masked_fill(also, -torch.inf)
        right = torch.arange(len(scores), device=scores.device)
        return (F.cross_entropy(scores, right) + F.cross_entropy(scores.T, right)) / 2


class SymmetricHinge:
    """max(0, margin + wrong - right) of inner products, for wrong pictures and wrong texts (Reed et al. 2016)."""

    def __init__(self, margin: float = 1.0):
        self.margin = margin

    def __call__(self, texts: Tensor, pictures: Tensor, also: Tensor) -> Tensor:
        scores = products(texts, pictures)
        right = scores.diagonal()
        wrong = ~(also | torch.eye(len(scores), dtype=torch.bool, device=scores.device))
        costs = [F.relu(self.margin + scores - right[:, None]), F.relu(self.margin + scores - right[None])]
        return sum((cost * wrong).sum() for cost in costs) / wrong.sum().clamp(min=1)


def products(texts: Tensor, pictures: Tensor) -> Tensor:
    """The inner product of every text with every picture, (n, n), in float32."""
    return in_float32(torch.mm, texts, pictures.float().T)
