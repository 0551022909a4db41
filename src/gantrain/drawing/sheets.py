"""Pictures with words beside them."""

import functools
import textwrap
from collections.abc import Sequence
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gantrain.drawing.pictures import to_pil

GAP = 8
WIDEST, MOST_LINES = 32, 6  # letters of a line, and lines of a text
INK, PAPER = "#222222", "#e8e8e8"  # grey, on which white pictures have edges


@functools.cache
def font(size: int = 13) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib: Pillow's own lacks a minus sign and most alphabets."""
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), size)


def enlarged(picture: Tensor, side: int) -> Image.Image:
    """A picture (channels, height, width) uint8 with its longer side `side` pixels long, unsmoothed, in RGB."""
    image = to_pil(picture).convert("RGB")
    scale = side / max(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.NEAREST)


def broken(text: str) -> str:
    """A text of any length in a few lines that fit beside pictures."""
    lines = textwrap.wrap(text, WIDEST)
    return "\n".join(lines[:MOST_LINES]) + (" ..." if len(lines) > MOST_LINES else "")


def labelled_rows(rows: Sequence[tuple[str, Image.Image | None]]) -> Image.Image:
    """One row per label (lines of text) with its picture to the right; a label may stand alone."""
    ruler = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    boxes = [ruler.multiline_textbbox((0, 0), label, font()) for label, _ in rows]
    left = GAP + max(round(box[2]) for box in boxes) + 2 * GAP
    heights = [max(round(box[3]), image.height if image else 0) for box, (_, image) in zip(boxes, rows, strict=True)]
    width = left + max((image.width for _, image in rows if image), default=0) + GAP
    sheet = Image.new("RGB", (width, sum(heights) + GAP * (len(rows) + 1)), PAPER)
    draw, top = ImageDraw.Draw(sheet), GAP
    for (label, image), box, height in zip(rows, boxes, heights, strict=True):
        draw.multiline_text((GAP, top + (height - box[3]) / 2), label, INK, font())
        if image:
            sheet.paste(image, (left, top))
        top += height + GAP
    return sheet
