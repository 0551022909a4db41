"""One picture to uint8 pixels: what is accepted, how it is turned, flattened, scaled and cut."""

import contextlib
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gantrain.errors import one_line

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif")

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")  # what is inside counts, not the file's suffix

MOST_PIXELS = 64_000_000  # of one picture: decoded and converted it takes several times as many bytes
LONGEST_SIDE = 65_535  # a JPEG's; work goes by rows and tiles, however thin the picture

# Besides OSError and ValueError, Pillow's decoders raise these for damaged files.
DAMAGED_PICTURE = (
    *(OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError, OverflowError),
    *(struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning),
)

REFUSED = "cannot be opened: "  # the system's reason follows, which may pass

Look = tuple[int, int, str]  # width, height and Pillow's mode as stored


class Unreadable(Exception):
    """A picture or volume that cannot be used; the message is the reason, without its name."""


@dataclass(frozen=True, repr=False)
class Framing:
    """How a picture of any shape fills the square.

    `centre` scales the shorter side to the square's and keeps the middle; `none` squashes the whole picture.
    `background`, RGB in 0..255, shows through transparent parts. `levels` are the values of 16-bit files that become
    black and white; what lies beyond them is cut.
    """

    crop: Literal["centre", "none"] = "centre"
    background: tuple[int, ...] = (255, 255, 255)
    levels: tuple[int, ...] = (0, 65535)

    def __repr__(self) -> str:
        # It is part of the keys of caches, and those of before there were levels are as good as new.
        levels = "" if self.levels == (0, 65535) else f", levels={self.levels}"
        return f"Framing(crop={self.crop!r}, background={self.background}{levels})"

    def __post_init__(self):
        if not 0 <= self.levels[0] < self.levels[1] <= 65535:
            raise ValueError(f"levels is {list(self.levels)}, it must be [black, white] in 0..65535, black the lower")
        if not all(0 <= value <= 255 for value in self.background):
            raise ValueError(f"background is {list(self.background)}, it must be [red, green, blue] in 0..255")


def open_picture(file: Path | BinaryIO) -> Image.Image:
    """A picture that is not loaded yet, of one of the accepted formats. Raises ValueError where it is too large."""
    picture = Image.open(file, formats=FORMATS)
    width, height = picture.size  # as its header says; nothing is decoded yet
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        picture.close()
        raise ValueError(f"{width}x{height} pixels, more than {MOST_PIXELS:,} or {LONGEST_SIDE:,} a side")
    return picture


def lost_of(file: Path) -> list[str]:
    """What of a sound picture is not read, in words."""
    lost = []
    with contextlib.suppress(Unreadable), guarded(), Image.open(file, formats=FORMATS) as picture:
        if picture.tile and str(picture.tile[0].args).endswith(";16B") and not picture.mode.startswith("I"):
            lost.append("16 bits of each colour are taken as 8")
        if getattr(picture, "is_animated", False) and picture.format != "MPO":  # a phone's, with a preview
            lost.append("only the first frame is taken")
    return lost


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Whatever Pillow says of a damaged or far too large picture becomes Unreadable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged EXIF, odd palettes: nothing a user could act on
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except DAMAGED_PICTURE as error:
        raise Unreadable(_reason(error)) from error


def to_array(picture: Image.Image, size: int, channels: int, framing: Framing | None = None) -> np.ndarray:
    """(channels, size, size) uint8, bicubic with antialiasing; squashed where there is no framing."""
    box = None
    if framing is not None:
        if min(picture.size) < min(size, 2):
            raise ValueError(f"only {picture.width}x{picture.height} pixels")
        picture.draft(None, (2 * size, 2 * size))  # a JPEG at a half, quarter or eighth of its side, many times faster
    picture = upright(picture, channels, framing)
    if framing is not None and framing.crop == "centre":
        side, (width, height) = min(picture.size), picture.size
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.BICUBIC, box)
    pixels = np.asarray(picture, dtype=np.uint8)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def upright(picture: Image.Image, channels: int, framing: Framing | None) -> Image.Image:
    """In grey or RGB; what has a framing is turned as its EXIF says, and laid on its background."""
    if framing is not None:
        ImageOps.exif_transpose(picture, in_place=True)
        picture = flat(picture, framing)
    return picture.convert("L" if channels == 1 else "RGB")


def flat(picture: Image.Image, framing: Framing) -> Image.Image:
    """8 bits per channel, without transparency."""
    if picture.mode.startswith("I"):  # 16-bit grey, which Pillow would clip at 255
        black, white = framing.levels
        values = np.asarray(picture).astype(np.float32).clip(black, white) - black
        return Image.fromarray(np.rint(values * (255 / (white - black))).astype(np.uint8))
    if not picture.has_transparency_data:
        return picture
    ground = Image.new("RGBA", picture.size, (*framing.background, 255))
    ground.alpha_composite(picture.convert("RGBA"))
    return ground


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:  # Pillow's own errors have no number
        return f"{REFUSED}{error.strerror}"
    if isinstance(error, UnidentifiedImageError):
        return "no PNG, JPEG, WebP, BMP or GIF"  # Pillow's own sentence repeats the path
    return one_line(error)[:120]
