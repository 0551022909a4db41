"""Euclidean distance, for latents, embeddings and pictures."""

from torch import Tensor
from torch.linalg import vector_norm

from gantrain.losses.reconstruction import Distance


class Euclidean(Distance):
    """`weight` times the mean Euclidean distance of samples to their targets; its gradient at distance 0 is 0."""

    def distance(self, made: Tensor, wanted: Tensor) -> Tensor:
        return vector_norm((made - wanted).flatten(1), dim=1).mean()
