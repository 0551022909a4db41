"""A network over a picture of any size, tile by tile, so that memory is bounded and no seam shows."""

import itertools
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

Region = tuple[slice, slice]  # rows and columns


def tiled(
    network_fn: Callable[[Tensor], Tensor], low: Tensor, scale: int, tile: int, overlap: int
) -> Iterator[tuple[Region, Tensor]]:
    """The parts of `network_fn(low)` (n, c, scale * h, scale * w) and where they belong.

    Each part is made of a square of at most `tile` pixels of `low` (n, c, h, w) and `overlap` more on every side, whose
    results are cut off again. Where `overlap` is as far as the network sees, the parts are those of the whole.
    """
    height, width = low.shape[-2:]
    for rows, outer_rows in spans(height, tile, overlap):
        for columns, outer_columns in spans(width, tile, overlap):
            with torch.no_grad():
                made = network_fn(low[..., outer_rows, outer_columns])
            inner = made[..., _within(rows, outer_rows, scale), _within(columns, outer_columns, scale)]
            yield (_times(rows, scale), _times(columns, scale)), inner


def tiles_of(low: Tensor, tile: int) -> int:
    """How many parts there are of `low` (..., h, w)."""
    return math.prod(-(-side // tile) for side in low.shape[-2:])


def spans(length: int, tile: int, overlap: int) -> Iterator[tuple[slice, slice]]:
    """Parts of nearly equal length, none longer than `tile`, and the same with the overlap that there is room for."""
    count = -(-length // tile)
    edges = [length * i // count for i in range(count + 1)]
    for start, stop in itertools.pairwise(edges):
        yield slice(start, stop), slice(max(0, start - overlap), min(length, stop + overlap))


def _within(inner: slice, outer: slice, scale: int) -> slice:
    return slice((inner.start - outer.start) * scale, (inner.stop - outer.start) * scale)


def _times(part: slice, scale: int) -> slice:
    return slice(part.start * scale, part.stop * scale)
