"""Pictures and volumes made by the program itself, for tests and dry runs (`debug=tiny`)."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from gantrain.data.source import Source

VOLUME_SIDE = 8  # enlarged as asked


class Synthetic(Source):
    """`count` coloured discs and squares on shaded ground, in `classes` classes by shape and shade.

    Asked for volumes, it gives balls and boxes. `first` numbers the first of them: others are other pictures.
    """

    def __init__(self, count: int = 64, classes: int | None = None, side: int = 32, first: int = 0):
        if count < 1 or side < 4:
            raise ValueError(f"count {count} and side {side}: at least 1 picture of 4 pixels")
        self.count, self.classes, self.side, self.first = count, classes, side, first
        self.fingerprint = f"synthetic-{count}-{classes}-{side}-{first}"
        self.labels = np.arange(count) % classes if classes else None
        self.names = [f"synthetic picture {index}" for index in range(count)]
        self.captions = [[f"{kind} {first + index}" for kind in ("picture", "number")] for index in range(count)]

    def open(self, root: Path | None) -> "Synthetic":
        return self

    def held_out(self) -> "Synthetic":
        """As many other pictures."""
        return Synthetic(self.count, self.classes, self.side, self.first + self.count)

    def read(self, index: int) -> Image.Image:
        rng = np.random.default_rng(self.first + index)
        picture = Image.new("RGB", (self.side, self.side), tuple(int(v) for v in rng.integers(0, 96, 3)))
        x, y = rng.uniform(0.1, 0.4, 2) * self.side
        box = [x, y, x + 0.5 * self.side, y + 0.5 * self.side]
        colour = tuple(int(v) for v in rng.integers(128, 256, 3))
        draw = ImageDraw.Draw(picture)
        (draw.ellipse if self.kind(index) % 2 else draw.rectangle)(box, fill=colour)
        return picture

    def volume(self, index: int) -> np.ndarray:
        *centre, radius = np.random.default_rng(self.first + index).uniform([3, 3, 3, 1.5], [5, 5, 5, 3])
        apart = np.abs(np.moveaxis(np.indices((VOLUME_SIDE,) * 3), 0, -1) + 0.5 - centre)
        distance = np.linalg.norm(apart, axis=-1) if self.kind(index) % 2 else apart.max(-1)
        return distance < radius

    def kind(self, index: int) -> int:
        return int(self.labels[index]) if self.labels is not None else index
