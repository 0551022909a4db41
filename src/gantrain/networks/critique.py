"""What a discriminator gives that has more to offer than logits."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn


class Critique(NamedTuple):
    """`logits` of any shape; `features` of its layers, first to last (feature matching, Salimans et al. 2016);
    `auxiliary` (n, k), what an auxiliary head says of each sample: the logits of its class (ACGAN), or of its
    categorical code and then the means of its continuous codes (InfoGAN).
    """

    logits: Tensor
    features: Sequence[Tensor] = ()
    auxiliary: Tensor | None = None


def critique_of(judged: Tensor | Critique) -> Critique:
    """A discriminator's answer as a Critique, whichever of the two it gives."""
    return judged if isinstance(judged, Critique) else Critique(judged)


def critique(
    logits: Tensor, features: Sequence[Tensor], auxiliary: nn.Module | None, last: Tensor
) -> Tensor | Critique:
    """A discriminator's answer: a Critique with what its `auxiliary` head says of its last layer's output, or logits
    where it has nothing else to say."""
    said = None if auxiliary is None else auxiliary(last)
    return logits if said is None and not features else Critique(logits, features, said)
