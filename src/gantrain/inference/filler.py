"""One picture of any kind and size with a hole through a network that fills holes: all else stays as it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor, nn

from gantrain.data.formats.decode import Framing, Unreadable, flat, guarded, open_picture
from gantrain.data.holes import hidden
from gantrain.inference.levels import Levels, batch_of, planes_of
from gantrain.networks.tiles import Region, spans


@dataclass
class Filler:
    """`network` fills the holes of pictures (n, channels + 1, size, size) in `range`, as `hidden` makes them.

    It looks at squares of `size` around each hole. Holes in which a square of more than `widest` pixels has room, the
    largest of training, are filled on a smaller copy of the picture, and so is one whose longer side is over `longest`.
    With `centred` the network knows holes in the middle only. `hole_of` says which pixels of a picture (h, w) are
    missing; with `alpha` these are the transparent ones, which become opaque.
    """

    network: nn.Module
    channels: int
    range: tuple[float, float]
    size: int
    widest: int
    hole_of: Callable[[Image.Image], np.ndarray]
    alpha: bool = False
    centred: bool = False
    longest: int | None = None
    framing: Framing = field(default_factory=Framing)
    reduced: int = 0  # pictures whose hole was too large

    def open(self, file: Path) -> Image.Image:
        """What becomes of a picture, turned as its EXIF says, with its own alpha and EXIF. Raises Unreadable."""
        with guarded(), open_picture(file) as stored:
            picture = ImageOps.exif_transpose(stored)
            hole = self.hole_of(picture)
            if hole.all():
                raise Unreadable("all of it is missing, so there is nothing to go by")
            pixels, shown = plain(picture, self.framing)
            # What was converted from CMYK is in no profile of CMYK any more.
            kept = {"exif": picture.info.get("exif"), "icc_profile": stored.info.get("icc_profile")}
            if stored.mode == "CMYK":
                kept["icc_profile"] = None
        levels = Levels.of(pixels, self.framing, self.range)
        made = self.filled(levels.to_planes(shown), torch.from_numpy(hole))
        filled = levels.to_pixels(made).transpose(1, 2, 0)
        if pixels.ndim == 2:
            pixels[hole] = filled[hole][:, 0]
        else:
            pixels[hole, : filled.shape[2]] = filled[hole]
            if self.alpha:
                pixels[hole, -1] = 255
        done = Image.fromarray(pixels)
        done.info.update(kept)
        return done

    def filled(self, planes: Tensor, missing: Tensor) -> Tensor:
        """Planes (1 or 3, h, w) in `range` whose `missing` pixels (h, w) are what the network makes of the others."""
        side = thickest(missing)
        scale = min(1.0, self.widest / side, (self.longest or max(missing.shape)) / max(missing.shape))
        self.reduced += side > self.widest
        if scale == 1:
            return self.filled_at_size(planes, missing)
        # Each pixel of the smaller copy is the mean of some, and missing where one of them is: none knows of the hole.
        height, width = (max(1, round(scale * length)) for length in missing.shape)
        small = F.adaptive_avg_pool2d(torch.where(missing, 0, planes)[None], (height, width))[0]
        missing_there = F.adaptive_avg_pool2d(missing[None, None].float(), (height, width))[0, 0] > 0
        made = self.filled_at_size(small, missing_there)
        large = F.interpolate(made[None], missing.shape, mode="bicubic", align_corners=False)[0]
        return torch.where(missing, large, planes)

    def filled_at_size(self, planes: Tensor, missing: Tensor) -> Tensor:
        height, width = missing.shape
        around = self.size // 2 if self.centred else 0
        padding = (around, around + max(0, self.size - width), around, around + max(0, self.size - height))
        canvas = F.pad(planes[None], padding, "replicate")[0].clone()
        left = F.pad(missing[None, None].float(), padding, "replicate")[0, 0] > 0
        for rows, columns in parts_of(missing, self.size // 2):
            rows, columns = moved(rows, around), moved(columns, around)
            if not left[rows, columns].any():
                continue
            top, side = (square_around(p, self.size, n) for p, n in zip((rows, columns), left.shape, strict=True))
            made = self.make(canvas[:, top, side], left[top, side])
            inner = made[:, moved(rows, -top.start), moved(columns, -side.start)]
            canvas[:, rows, columns] = torch.where(left[rows, columns], inner, canvas[:, rows, columns])
            left[rows, columns] = False  # what is filled is known to those that come
        return canvas[:, around : around + height, around : around + width]

    def make(self, planes: Tensor, missing: Tensor) -> Tensor:
        """What a network of either number of channels makes of planes (1 or 3, size, size), on the CPU."""
        device = next(self.network.parameters()).device
        batch = batch_of(planes, self.channels)
        with torch.no_grad():
            made = self.network(hidden(batch, missing.expand(len(batch), 1, -1, -1)).to(device)).float().cpu()
        return planes_of(made, len(planes))


def plain(picture: Image.Image, framing: Framing) -> tuple[np.ndarray, np.ndarray]:
    """A picture's own pixels (h, w) or (h, w, 2 to 4), uint8, or uint16 for grey in 16 bits, the last of 2 or 4 its
    alpha; and their grey or colours as training showed them: what is transparent lies on a background."""
    if picture.mode.startswith("I"):
        pixels = np.asarray(picture).clip(0, 65535).astype(np.uint16)
        return pixels, pixels
    grey = picture.mode in ("1", "L", "LA", "La")
    own = ("LA" if grey else "RGBA") if picture.has_transparency_data else ("L" if grey else "RGB")
    return np.array(picture.convert(own)), np.asarray(flat(picture, framing).convert("L" if grey else "RGB"))


def thickest(missing: Tensor) -> int:
    """The side of the largest square that has room in a hole (h, w), or 1 less."""
    from scipy.ndimage import distance_transform_cdt

    bordered = np.pad(missing.numpy(), 1)  # nothing is known beyond the picture, but nothing is missing there
    return 2 * int(distance_transform_cdt(bordered, "chessboard").max()) - 1


def parts_of(missing: Tensor, most: int) -> Iterator[Region]:
    """The boxes of connected holes, cut where they are longer than `most` pixels."""
    from scipy.ndimage import find_objects, label

    for box in find_objects(label(missing.numpy(), np.ones((3, 3)))[0]):
        rows, columns = ([part for part, _ in spans(side.stop - side.start, most, 0)] for side in box)
        top, left = (side.start for side in box)
        yield from ((moved(row, top), moved(column, left)) for row in rows for column in columns)


def square_around(part: slice, size: int, length: int) -> slice:
    """So many pixels with a part in their middle, or as far in as the picture reaches."""
    start = min(max(0, (part.start + part.stop - size) // 2), length - size)
    return slice(start, start + size)


def moved(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)
