"""What a picture is translated from: the picture beside it in its file, its grey, its edges."""

from typing import Literal

import numpy as np
from PIL import Image, ImageOps

from gantrain.data.formats.decode import to_array
from gantrain.data.source import Source

Condition = Literal["beside", "grey", "edges"]

WIDER = 1.2  # than high, at least, is a file that holds two pictures side by side


class Half(Source):
    """The left or right half of every picture of `source`."""

    def __init__(self, source: Source, half: Literal["left", "right"]):
        self.source, self.half, self.framing = source, half, source.framing
        self.names = source.names
        self.fingerprint = f"{source.fingerprint}-{half}"

    def read(self, index: int) -> Image.Image:
        with self.source.read(index) as stored:
            picture = ImageOps.exif_transpose(stored)
            width, height = picture.size
            in_file = stored.format is not None  # else two files were put together
            if self.framing is not None and in_file and width < WIDER * height:
                raise ValueError(f"{width}x{height} pixels, no two pictures side by side")
            return half(picture, self.half)


def half(picture: Image.Image, side: Literal["left", "right"]) -> Image.Image:
    """One of the two pictures that stand side by side in a file."""
    width, height = picture.size
    left = 0 if side == "left" else width - width // 2
    return picture.crop((left, 0, left + width // 2, height))


class Edges(Source):
    """The edges of every picture of `source` as it is at `size`."""

    def __init__(self, source: Source, size: int):
        self.source, self.size = source, size
        self.names = source.names
        self.fingerprint = f"{source.fingerprint}-{source.framing}-edges-{size}"

    def read(self, index: int) -> Image.Image:
        with self.source.read(index) as picture:
            return Image.fromarray(edges(to_array(picture, self.size, 1, self.source.framing)[0]))


def edges(grey: np.ndarray) -> np.ndarray:
    """Canny's edges of grey pixels (h, w) uint8, black lines on white: a drawing by someone who only sees contrast.

    A fifth of the pixels have the steep slopes that an edge may begin from: faint pictures have edges too.
    """
    from skimage.feature import canny  # a second of imports that only this condition needs

    found = canny(grey / 255.0, sigma=1.0, low_threshold=0.7, high_threshold=0.85, use_quantiles=True)
    return np.where(found, 0, 255).astype(np.uint8)


def condition_of(picture: Image.Image, condition: Condition, channels: int) -> np.ndarray:
    """The condition (channels, h, w) uint8 of a picture in grey or RGB; `beside` takes it as it is."""
    pixels = np.array(picture.convert("L" if channels == 1 else "RGB"))
    if condition == "edges":
        pixels = edges(pixels)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
