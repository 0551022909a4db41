"""Samples beside the training pictures that are nearest to them: whether a generator has learnt by heart."""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from gantrain.data import GANDataModule
from gantrain.drawing.pictures import grid, to_pil
from gantrain.drawing.sheets import labelled_rows
from gantrain.evaluation.measures.neighbours import nearest

MOST = 5_000  # training pictures that are looked at
SIDE = 32  # at which they are compared
CHUNK = 250


def nearest_sheet(samples: Tensor, data: GANDataModule) -> Image.Image:
    """Samples (n, c, h, w) in the data's range in a row, and below each the training picture that is nearest to it.

    Near is by the pixels of pictures made as small as 32 a side; of more than 5,000 training pictures every so many
    are looked at.
    """
    rows = np.unique(np.linspace(0, len(data) - 1, min(len(data), MOST)).round().astype(int))
    parts = np.array_split(rows, -(-len(rows) // CHUNK))
    bank = torch.cat([shrunk(data.take(part)["real"]) for part in parts])
    _, found = nearest(shrunk(samples), bank)
    near = data.take(rows[found.numpy()])["real"]
    pictures = {"samples": samples, "nearest in\ntraining": near}
    shown = {label: to_pil(grid(data.pictures(part), len(part), 64)).convert("RGB") for label, part in pictures.items()}
    return labelled_rows(list(shown.items()))


def shrunk(pictures: Tensor) -> Tensor:
    """Small copies as rows (n, values)."""
    height, width = (min(SIDE, side) for side in pictures.shape[2:])
    return F.adaptive_avg_pool2d(pictures.float().cpu(), (height, width)).flatten(1)
