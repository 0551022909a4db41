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


def logits_of(judged: Tensor | Critique) -> Tensor:
    """The logits of a discriminator's answer, whichever of the two it gives."""
    return judged.logits if isinstance(judged, Critique) else judged
