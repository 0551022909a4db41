"""Coloured shapes with captions, made by the program itself: a first run of text to image without data, and tests."""

import math
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from gantrain.checks import check_whole
from gantrain.data.source import Source

SHAPES = ("circle", "square", "triangle", "cross")
COLOURS = {
    "red": (220, 40, 40),
    "green": (50, 180, 60),
    "blue": (50, 90, 230),
    "yellow": (235, 215, 50),
    "purple": (160, 60, 200),
    "white": (240, 240, 240),
}
SIZES = {"small": ("small", "little"), "large": ("large", "big")}
PLACES = {
    "at the top left": (0.3, 0.3),
    "at the top right": (0.7, 0.3),
    "at the bottom left": (0.3, 0.7),
    "at the bottom right": (0.7, 0.7),
    "in the middle": (0.5, 0.5),
}
RADII = {"small": (0.13, 0.16), "large": (0.25, 0.29)}  # of the picture's side
SPLITS = ("train", "test")
OVER = 4  # pixels that are drawn for one
KINDS = [(s, c, z, p) for s in range(4) for c in range(6) for z in range(2) for p in range(5)]


class CaptionedShapes(Source):
    """`each` pictures of every kind, a shape of a colour and size at a place on dark ground, with five captions each.

    There are 240 kinds, the classes. The test split is another quarter of them than training has: it asks for things
    that were never seen together, though each pair of colour and shape was. Captions name shape and colour; two leave
    out the place or the size.
    """

    reads_root = False

    def __init__(self, split: Literal["train", "test"] = "train", each: int = 24, side: int = 64):
        check_whole(1, each=each)
        check_whole(16, side=side)
        self.split, self.each, self.side = split, each, side
        self.class_names = [f"{size} {colour} {shape} {place}" for shape, colour, size, place in map(said, KINDS)]
        kinds = [number for number, kind in enumerate(KINDS) if (sum(kind) % 4 == 0) == (split == "test")]
        self.labels = np.repeat(np.array(kinds), each)
        self.names = [f"{self.class_names[kind]} {index % each + 1}" for index, kind in enumerate(self.labels)]
        self.captions = [self.captions_of(index) for index in range(len(self.names))]
        self.fingerprint = f"captioned-shapes-2-{split}-{each}-{side}"

    def open(self, root: object) -> "CaptionedShapes":
        return self

    def held_out(self) -> "CaptionedShapes":
        """The test split."""
        return CaptionedShapes("test", self.each, self.side)

    def drawn(self, index: int, what: int) -> np.random.Generator:
        return np.random.default_rng([SPLITS.index(self.split), index, what])

    def captions_of(self, index: int) -> list[str]:
        """Five of the words that a person might say, synonyms drawn."""
        shape, colour, size, place = said(KINDS[self.labels[index]])
        draw = self.drawn(index, 0)
        size = SIZES[size][int(draw.integers(2))]
        shape = "disc" if shape == "circle" and draw.random() < 0.2 else shape
        return [
            f"a {size} {colour} {shape} {place}",
            f"{colour} {shape}, {size}, {place}",
            f"there is a {colour} {shape} {place}, it is {size}",
            f"a {size} {colour} {shape}",
            f"a {colour} {shape} {place}",
        ]

    def read(self, index: int) -> Image.Image:
        shape, colour, size, place = said(KINDS[self.labels[index]])
        draw, side = self.drawn(index, 1), OVER * self.side
        ground = draw.integers(10, 70, 3)
        picture = Image.new("RGB", (side, side), tuple(ground.tolist()))
        centre = (np.array(PLACES[place]) + draw.uniform(-0.05, 0.05, 2)) * side
        radius = draw.uniform(*RADII[size]) * side
        tint = np.clip(np.array(COLOURS[colour]) + draw.integers(-18, 19, 3), 0, 255)
        turn = draw.uniform(-0.15, 0.15)
        pen, ink = ImageDraw.Draw(picture), tuple(tint.tolist())
        if shape == "circle":
            pen.ellipse([*(centre - radius), *(centre + radius)], fill=ink)
        for corners in outlines(shape):
            cos, sin = math.cos(turn), math.sin(turn)
            points = [(x * cos - y * sin, x * sin + y * cos) for x, y in corners]
            pen.polygon([tuple(centre + radius * np.array(point)) for point in points], fill=ink)
        return picture.resize((self.side, self.side), Image.Resampling.BOX)


def said(kind: tuple[int, int, int, int]) -> tuple[str, str, str, str]:
    """The words for a kind."""
    shape, colour, size, place = kind
    return SHAPES[shape], list(COLOURS)[colour], list(SIZES)[size], list(PLACES)[place]


def outlines(shape: str) -> list[list[tuple[float, float]]]:
    """The polygons that make a shape of radius 1; none for what is round."""
    if shape == "square":
        return [[(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)]]
    if shape == "triangle":
        return [[(0, -1), (0.95, 0.75), (-0.95, 0.75)]]
    if shape == "cross":
        return [[(-w, -h), (w, -h), (w, h), (-w, h)] for w, h in ((0.3, 1), (1, 0.3))]
    return []
