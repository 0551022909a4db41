"""Where places of a picture look, drawn on the picture."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gantrain.drawing.pictures import grid

MARK = torch.tensor([255, 40, 40], dtype=torch.uint8)
DARK = 0.15  # the brightness of what is not looked at
LEAST_SIDE = 96  # pixels of a picture in the sheet


def attention_sheet(pictures: Tensor, maps: Tensor, places: Sequence[tuple[float, float]]) -> Tensor:
    """A row per picture, (3, H, W) uint8: itself, then for each place, marked red, the picture lit where it looks.

    `pictures` are (n, c, h, w) uint8, `maps` (n, k, h', w') of any sum; each map's largest value is lit in full.
    `places` are k shares of the height and width.
    """
    height, width = pictures.shape[2:]
    zoom = max(1, -(-LEAST_SIDE // height))
    colours = pictures.expand(-1, 3, -1, -1).repeat_interleave(zoom, 2).repeat_interleave(zoom, 3)
    lit = F.interpolate(maps.float(), size=colours.shape[2:], mode="bilinear")
    lit = DARK + (1 - DARK) * lit / lit.amax((2, 3), keepdim=True).clamp_min(1e-12)
    shown = [colours]
    for k, (down, across) in enumerate(places):
        cell = (colours.float() * lit[:, k : k + 1]).round().to(torch.uint8)
        top, left = int(down * height) * zoom, int(across * width) * zoom
        cell[:, :, top : top + 2 * zoom, left : left + 2 * zoom] = MARK.view(1, 3, 1, 1)
        shown.append(cell)
    cells = torch.stack(shown, 1).flatten(0, 1)
    return grid(cells, columns=1 + len(places))
