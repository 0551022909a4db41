"""What a discriminator gives that has more to offer than logits."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor


class Critique(NamedTuple):
    """`logits` of any shape; `features` of its layers, first to last (feature matching, Salimans et al. 2016);
    `classes`, the logits of an auxiliary classifier (ACGAN, InfoGAN).
    """

    logits: Tensor
    features: Sequence[Tensor] = ()
    classes: Tensor | None = None


def critique_of(judged: Tensor | Critique) -> Critique:
    """A discriminator's answer as a Critique, whichever of the two it gives."""
    return judged if isinstance(judged, Critique) else Critique(judged)
