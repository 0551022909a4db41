"""Layers that keep what they learnt elsewhere: FreezeD (Mo et al. 2020, arXiv 2002.10964)."""

from collections.abc import Sequence

from torch import nn


def freeze_first(parts: Sequence[nn.Module], count: int) -> None:
    """Let the first `count` of a network's parts, those nearest to the picture, never train. Raises ValueError."""
    if not 0 <= count <= len(parts):
        raise ValueError(f"freeze is {count}, it must be from 0 to {len(parts)}, the parts before the network's end")
    for part in parts[:count]:
        part.requires_grad_(False)
