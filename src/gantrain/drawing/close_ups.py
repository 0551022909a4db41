"""Pictures of the same thing side by side, each with the same detail enlarged below."""

from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from gantrain.drawing.sheets import GAP, INK, PAPER, enlarged, font

CELL = 192  # the least width of a column
DETAIL = 4  # the detail is this part of the picture's side
FRAME = "#d62728"


def compare(columns: Mapping[str, Tensor]) -> Tensor:
    """A titled sheet (3, H, W) uint8: for each sample a row of its pictures and a row of their detail.

    `columns` are pictures (n, c, h, w) uint8 by title, all of one shape or whole fractions of the last, the truth. The
    detail is the square in which the truth varies most.
    """
    truth = list(columns.values())[-1]
    height, width = truth.shape[-2:]
    zoom = -(-CELL // width)
    cell = (width * zoom, height * zoom)
    part = max(1, min(height, width) // DETAIL)
    close_up = cell[0]
    step = cell[1] + close_up + 2 * GAP
    top = GAP + 20
    sheet = Image.new("RGB", (len(columns) * (cell[0] + GAP) + GAP, top + len(truth) * step), PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, (title, pictures) in enumerate(columns.items()):
        left = GAP + column * (cell[0] + GAP)
        pen.text((left, GAP), title, INK, font())
        for row, picture in enumerate(pictures):
            above = top + row * step
            y, x = busiest(truth[row], part)
            shrunk = height // picture.shape[-2]
            first, last = (y // shrunk, x // shrunk), (-(-(y + part) // shrunk), -(-(x + part) // shrunk))
            detail = picture[:, first[0] : last[0], first[1] : last[1]]
            sheet.paste(enlarged(picture, max(cell)), (left, above))
            sheet.paste(enlarged(detail, close_up).resize((close_up, close_up), 0), (left, above + cell[1] + GAP))
            frame = [left + x * zoom, above + y * zoom, left + (x + part) * zoom - 1, above + (y + part) * zoom - 1]
            pen.rectangle(frame, outline=FRAME, width=2)
    return torch.from_numpy(np.array(sheet)).permute(2, 0, 1)


def busiest(picture: Tensor, side: int) -> tuple[int, int]:
    """The top and left of the square, on a raster of half its side, in which the picture (c, h, w) varies most."""
    grey = picture.float().mean(0)
    squares = grey.unfold(0, side, max(1, side // 2)).unfold(1, side, max(1, side // 2))
    spread = squares.flatten(2).var(2, unbiased=False)
    row, column = divmod(int(spread.argmax()), spread.shape[1])
    return row * max(1, side // 2), column * max(1, side // 2)
