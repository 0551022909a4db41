"""One picture of any kind through a super-resolution network: grey, 16 bits, transparent, however large."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor, nn

from gantrain.data.formats.decode import Framing, Unreadable, flat, guarded, open_picture
from gantrain.drawing.progress import track
from gantrain.errors import UserError
from gantrain.inference.levels import Levels, batch_of, planes_of
from gantrain.networks.extent import Local
from gantrain.networks.tiles import tiled, tiles_of
from gantrain.training.loading import Trained

MOST = 1 << 29  # pixels of a result, 1.6 GB in RGB


@dataclass
class Enlarger:
    """`network` makes pictures (n, channels, h, w) in `range` `scale` times larger.

    It does so in tiles of `tile` pixels a side of the input, which share `overlap` pixels on every side. Transparent
    parts are laid on the background of `framing`, as in training.
    """

    network: nn.Module
    scale: int
    channels: int
    range: tuple[float, float]
    tile: int
    overlap: int
    framing: Framing = field(default_factory=Framing)

    def open(self, file: Path) -> Image.Image:
        """The larger picture, turned as its EXIF says, in grey, 16-bit grey, RGB, or with alpha. Raises Unreadable."""
        with guarded(), open_picture(file) as stored:
            return self.enlarged(stored)

    def enlarged(self, stored: Image.Image) -> Image.Image:
        """The same of a picture in memory. Raises Unreadable for one that is too large."""
        width, height = stored.size
        if width * height * self.scale**2 > MOST:
            raise Unreadable(f"{width}x{height} pixels, too many to be made {self.scale} times larger")
        colours, alpha = separate(ImageOps.exif_transpose(stored), self.framing)
        # What was converted from CMYK is in no profile of CMYK any more.
        profile = stored.info.get("icc_profile") if stored.mode != "CMYK" else None
        large = Image.fromarray(self.planes(colours))
        if alpha is not None:
            large.putalpha(alpha.resize(large.size, Image.Resampling.BICUBIC))
        large.info["icc_profile"] = profile
        return large

    def planes(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (h, w) or (h, w, 3), uint8 or uint16, to as many, `scale` times larger."""
        levels = Levels.of(pixels, self.framing, self.range)
        planes = levels.to_planes(pixels)
        large = np.empty((len(planes), *(self.scale * side for side in planes.shape[1:])), pixels.dtype)
        parts = tiled(self.make, planes, self.scale, self.tile, self.overlap)
        for (rows, columns), part in track(parts, tiles_of(planes, self.tile), "tiles"):
            large[:, rows, columns] = levels.to_pixels(part)
        return large[0] if pixels.ndim == 2 else np.ascontiguousarray(large.transpose(1, 2, 0))

    def make(self, planes: Tensor) -> Tensor:
        """Planes (1 or 3, h, w) through a network of either number of channels, on its device, back on the CPU."""
        device = next(self.network.parameters()).device
        made = self.network(batch_of(planes, self.channels).to(device)).float().cpu()
        return planes_of(made, len(planes))


def enlarger_of(trained: Trained, raw: bool = False, tile: int = 256, overlap: int = 16) -> Enlarger:
    """That of a run that enlarges, whose tiles share as many pixels as its network sees at least."""
    data, network = trained.data, trained.network(trained.module.generator_to(None), raw)
    if data.scale is None:
        raise UserError(f"upscale: {type(data).__name__} does not say how many times larger (scale), as LowHigh does")
    overlap = max(overlap, network.reach if isinstance(network, Local) else 0)
    return Enlarger(network, data.scale, data.channels, data.range, tile, overlap, data.framing)


def separate(picture: Image.Image, framing: Framing) -> tuple[np.ndarray, Image.Image | None]:
    """A picture's grey (h, w) or RGB (h, w, 3) pixels, uint8, or uint16 for grey in 16 bits, and its alpha if any.

    What is transparent is laid on the framing's background: the colours that hide there were never shown in training.
    """
    if picture.mode.startswith("I"):
        return np.asarray(picture).clip(0, 65535).astype(np.uint16), None
    grey = picture.mode in ("1", "L", "LA", "La")
    alpha = None
    if picture.has_transparency_data:
        alpha = picture.convert("RGBA").getchannel("A")
        grey = grey and len(set(framing.background)) == 1
    return np.asarray(flat(picture, framing).convert("L" if grey else "RGB")), alpha
