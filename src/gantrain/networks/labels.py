"""How a network takes a class: as a one-hot vector that joins its input (Mirza and Osindero 2014, arXiv 1411.1784)."""

import torch
from torch import Tensor


def with_class(x: Tensor, cond: Tensor | None, classes: int | None) -> Tensor:
    """`x` (n, c, ...) and the one-hot class numbers `cond` (n,) as `classes` more channels, the same at all positions.

    A network whose `classes` is None takes none and gets `x` as it is. Raises TypeError where one is there without the
    other.
    """
    check_class(cond, classes)
    if cond is None:
        return x
    n = cond.shape[0]  # not its len, which an export would take for a constant
    one_hot = x.new_zeros(n, classes).scatter_(1, cond[:, None], 1)  # F.one_hot looks at all numbers first
    label = one_hot.view(n, classes, *[1] * (x.dim() - 2))
    return torch.cat([x, label.expand(-1, -1, *x.shape[2:])], 1)


def check_class(cond: Tensor | None, classes: int | None) -> None:
    """Raise TypeError where a network gets class numbers and takes none, or takes some and gets none."""
    if classes is None and cond is not None:
        raise TypeError("its option classes is not set, so it takes no class numbers")
    if classes is not None and cond is None:
        raise TypeError("its option classes is set, so it takes class numbers as well")
