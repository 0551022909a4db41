"""The length of a difference, for latents, embeddings and pictures."""

from torch import Tensor
from torch.linalg import vector_norm

from gantrain.losses.reconstruction import Distance


class Euclidean(Distance):
    """`weight` times the mean Euclidean distance of the samples to what they should be; its slope at zero is zero."""

    def distance(self, made: Tensor, wanted: Tensor) -> Tensor:
        return vector_norm((made - wanted).flatten(1), dim=1).mean()
