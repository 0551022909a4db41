"""The length of a difference, for latents, embeddings and pictures."""

from torch import Tensor
from torch.linalg import vector_norm

from gantrain.checks import check_number


class Euclidean:
    """`weight` times the mean Euclidean distance of the samples to what they should be; its slope at zero is zero."""

    def __init__(self, weight: float = 1.0):
        check_number(weight=weight)
        self.weight = weight

    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        return self.weight * vector_norm((made.float() - wanted.float()).flatten(1), dim=1).mean()
