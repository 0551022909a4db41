"""Feature matching: fakes should have the mean features of real samples in a layer of the discriminator."""

from collections.abc import Sequence

from torch import Tensor


class FeatureMatching:
    """`weight` times the squared distance of the mean features of real and fake (Salimans et al. 2016, section 3.1).

    `layer` is the place in the discriminator's `Critique.features`, by default the last.
    """

    def __init__(self, weight: float = 1.0, layer: int = -1):
        self.weight, self.layer = weight, layer

    def __call__(self, fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
        """A scalar of the features of fake and of real samples, which may differ in number. Raises IndexError."""
        made, wanted = (features[self.layer].float().mean(0) for features in (fake, real))
        return self.weight * (made - wanted.detach()).square().sum()
