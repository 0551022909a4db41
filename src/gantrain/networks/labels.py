"""How a network takes a class: as a one-hot vector that joins its input (Mirza and Osindero 2014, arXiv 1411.1784)."""

from typing import Any

import torch
from torch import Tensor, nn


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


def class_of_latent(z: Tensor, classes: int) -> Tensor:
    """The class (n,) that each latent (n, z_dim) stands for where none is asked for: a function of the latent alone.

    All are about equally likely, whatever the deviation of the latents, normal or uniform: the sum of a latent's
    numbers, divided by its length, is about standard normal, and its rank there says the class.
    """
    rank = torch.special.ndtr(z.sum(1) / z.norm(dim=1).clamp(min=1e-12))
    return (rank * classes).long().clamp(max=classes - 1)


def take_latents_alone(generator: nn.Module) -> None:
    """Let a generator of latents and classes take latents alone as well, of which each says its class."""
    if getattr(generator, "classes", None) and getattr(generator, "z_dim", None):
        generator.register_forward_pre_hook(_with_class_of_latent, with_kwargs=True)


def _with_class_of_latent(
    generator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if len(args) == 1 and "cond" not in kwargs:
        return (*args, class_of_latent(args[0], generator.classes)), kwargs
    return args, kwargs
