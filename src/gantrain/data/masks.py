"""Which pixels of a picture are missing: holes of several kinds, each a function of seed and position alone."""

from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from gantrain.data.stream import hashed, uniform
from gantrain.rng import derive_seed

Kind = Literal["centre", "square", "strokes", "half", "mixture"]

KINDS: tuple[Kind, ...] = ("centre", "square", "strokes", "half")  # of a mixture, all equally often
MOST_STROKES, BENDS = 4, 4


def holes(kind: Kind, positions: np.ndarray, size: int, sides: tuple[int, int], seed: int) -> np.ndarray:
    """The missing pixels (n, 1, size, size) bool of the pictures at these positions: always some, never all.

    `centre` is a square of half the side; `square` has a side from `sides`, both ends included, at any place; `half`
    is one of the four halves; `strokes` are one to four bent lines.
    """
    if kind == "mixture":
        kinds = hashed(positions, derive_seed(seed, "kind")) % np.uint64(len(KINDS))
        missing = np.empty((len(positions), 1, size, size), bool)
        for number, one in enumerate(KINDS):
            missing[kinds == number] = holes(one, positions[kinds == number], size, sides, seed)
        return missing
    if kind == "strokes":
        drawn = [strokes(position, size, seed) for position in positions]
        return np.array(drawn, bool).reshape(-1, 1, size, size)
    if kind == "centre":
        tops = lefts = np.full(len(positions), size // 4)
        heights = widths = np.full(len(positions), size // 2)
    elif kind == "square":
        heights = widths = sides[0] + _below(sides[1] - sides[0] + 1, positions, seed, "side")
        tops, lefts = (_below(size - heights + 1, positions, seed, axis) for axis in ("top", "left"))
    else:
        which = _below(4, positions, seed, "half")
        heights, widths = np.where(which < 2, size // 2, size), np.where(which < 2, size, size // 2)
        tops, lefts = np.where(which == 0, size - size // 2, 0), np.where(which == 2, size - size // 2, 0)
    places = np.arange(size)
    inside_rows = (places >= tops[:, None]) & (places < (tops + heights)[:, None])
    inside_columns = (places >= lefts[:, None]) & (places < (lefts + widths)[:, None])
    return (inside_rows[:, :, None] & inside_columns[:, None, :])[:, None]


def strokes(position: int, size: int, seed: int) -> np.ndarray:
    """One to four lines (size, size) bool with three bends each, a sixteenth to an eighth of the side wide."""
    numbers = uniform(position * 64 + np.arange(64), derive_seed(seed, "strokes"))
    picture = Image.new("1", (size, size))
    draw = ImageDraw.Draw(picture)
    count, rest = 1 + int(numbers[0] * MOST_STROKES), iter(numbers[1:])
    for _ in range(count):
        width = max(1, round(size / 16 * (1 + next(rest))))
        points = [(next(rest) * size, next(rest) * size) for _ in range(BENDS + 1)]
        draw.line(points, fill=1, width=width, joint="curve")
    return np.asarray(picture)


def _below(most: int | np.ndarray, positions: np.ndarray, seed: int, name: str) -> np.ndarray:
    """A whole number below `most` for every position."""
    return np.floor(uniform(positions, derive_seed(seed, name)) * most).astype(int)
