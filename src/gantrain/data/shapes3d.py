"""Parametric furniture, made by the program itself: a first run of 3D-GAN without data, and tests."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from gantrain.data.source import Source
from gantrain.errors import did_you_mean

Solid = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # coordinates in -1..1 to what lies inside
SPLITS = ("train", "test")  # their places are part of the seed of what is made


def box(low: Sequence[float], high: Sequence[float]) -> Solid:
    """Between two corners."""
    return lambda *at: np.logical_and.reduce([(a <= v) & (v <= b) for v, a, b in zip(at, low, high, strict=True)])


def cone(low: float, high: float, bottom: float, top: float) -> Solid:
    """Upright around the middle, from `low` to `high`, its radius going from `bottom` to `top`."""

    def inside(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        radius = bottom + (top - bottom) * (z - low) / (high - low)
        return (low <= z) & (z <= high) & (np.hypot(x, y) <= radius)

    return inside


class Shapes3D(Source):
    """`objects` chairs, tables and lamps each, seen in `turns` turns about the vertical, third axis, of side 30.

    `categories` are the classes, in their order. The test split has a quarter as many objects, all different.
    """

    reads_root = False

    def __init__(
        self,
        categories: Sequence[str] | str = ("chair", "table", "lamp"),
        split: Literal["train", "test"] = "train",
        objects: int = 48,
        turns: int = 12,
        side: int = 30,
    ):
        names = [categories] if isinstance(categories, str) else list(categories)
        if unknown := [name for name in names if name not in MAKERS]:
            raise ValueError(f"categories: there is no '{unknown[0]}'{did_you_mean(unknown[0], MAKERS)}")
        if not names or objects < 1 or turns < 1 or side < 8:
            raise ValueError("at least one category, one object, one turn and a side of 8 are needed")
        self.class_names, self.split, self.objects, self.turns, self.side = names, split, objects, turns, side
        self.made = objects if split == "train" else max(1, objects // 4)
        self.kinds = np.repeat(np.arange(len(names)), self.made * turns)
        self.labels = self.kinds if len(names) > 1 else None
        self.names = [f"{self.group(index)}_{index % turns + 1}" for index in range(len(self.kinds))]
        self.fingerprint = f"shapes3d-{names}-{split}-{objects}-{turns}-{side}"

    def open(self, root: object) -> "Shapes3D":
        return self

    def held_out(self) -> "Shapes3D":
        """The test split."""
        return Shapes3D(self.class_names, "test", self.objects, self.turns, self.side)

    def group(self, index: int) -> str:
        return f"{self.class_names[self.kinds[index]]}_{self.split}_{index // self.turns % self.made:04d}"

    def volume(self, index: int) -> np.ndarray:
        """(side, side, side) bool."""
        rng = np.random.default_rng([int(self.kinds[index]), SPLITS.index(self.split), index // self.turns])
        parts = MAKERS[self.class_names[self.kinds[index]]](rng)
        axis = (np.arange(self.side) + 0.5) * (2 / self.side) - 1
        x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
        angle = 2 * np.pi * (index % self.turns) / self.turns
        x, y = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        return np.logical_or.reduce([part(x, y, z) for part in parts])


def legs(width: float, depth: float, thick: float, low: float, high: float) -> list[Solid]:
    """Four, at the corners of a rectangle of half this width and depth."""
    corners = [(sx * (width - thick), sy * (depth - thick)) for sx in (-1, 1) for sy in (-1, 1)]
    return [box((x - thick, y - thick, low), (x + thick, y + thick, high)) for x, y in corners]


def chair(rng: np.random.Generator) -> list[Solid]:
    width, depth, seat, back = rng.uniform([0.32, 0.32, -0.2, 0.5], [0.5, 0.5, 0.1, 0.9])
    parts = [box((-width, -depth, seat), (width, depth, seat + 0.14))]
    parts += legs(width, depth, 0.07, -0.85, seat)
    parts.append(box((-width, depth - 0.14, seat), (width, depth, back)))
    if rng.random() < 0.4:  # arms
        for side in (-1, 1):
            x = side * (width - 0.07)
            parts.append(box((x - 0.07, -depth, seat), (x + 0.07, depth, seat + 0.4)))
    return parts


def table(rng: np.random.Generator) -> list[Solid]:
    width, depth, low, high = rng.uniform([0.5, 0.3, -0.7, 0.1], [0.66, 0.6, -0.4, 0.6])
    if rng.random() < 0.3:  # round, on one foot
        return [
            cone(high, high + 0.14, width, width),
            cone(low, high, 0.1, 0.1),
            cone(low, low + 0.12, width * 0.6, width * 0.6),
        ]
    return [box((-width, -depth, high), (width, depth, high + 0.14)), *legs(width, depth, 0.08, low, high)]


def lamp(rng: np.random.Generator) -> list[Solid]:
    foot, shade, narrow, height = rng.uniform([0.25, 0.35, 0.4, 0.4], [0.5, 0.7, 0.9, 0.7])
    return [
        cone(-0.85, -0.72, foot, foot),
        cone(-0.85, 0.9 - height, 0.08, 0.08),
        cone(0.9 - height, 0.9, shade, shade * narrow),
    ]


MAKERS = {"chair": chair, "table": table, "lamp": lamp}
