"""From the networks' range to pictures people look at: one conversion for grids, scores and export."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor


def to_uint8(images: Tensor, value_range: Sequence[float]) -> Tensor:
    """Images in `value_range` to uint8 in 0..255, rounded to the nearest, clipped at the ends."""
    low, high = value_range
    return ((images.float() - low) * (255 / (high - low))).round_().clamp_(0, 255).to(torch.uint8)


def to_pil(image: Tensor) -> Image.Image:
    """A picture (channels, height, width) uint8 of 1 or 3 channels."""
    pixels = image.cpu().numpy()
    return Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0).copy())


def grid(images: Tensor, columns: int | None = None, least_side: int = 48, gap: int = 2) -> Tensor:
    """Pictures (n, c, h, w) uint8 side by side, (c, H, W); small ones enlarged by a whole number, unsmoothed."""
    n, channels, height, width = images.shape
    zoom = max(1, -(-least_side // height))
    images = images.repeat_interleave(zoom, 2).repeat_interleave(zoom, 3)
    height, width = height * zoom, width * zoom
    columns = min(n, columns or max(1, round(n**0.5)))
    rows = -(-n // columns)
    sheet = torch.full((channels, rows * (height + gap) + gap, columns * (width + gap) + gap), 255, dtype=torch.uint8)
    for i, image in enumerate(images.cpu()):
        top, left = gap + (i // columns) * (height + gap), gap + (i % columns) * (width + gap)
        sheet[:, top : top + height, left : left + width] = image
    return sheet


def save_gif(frames: Sequence[Path], file: Path, seconds: float = 6.0) -> None:
    """The pictures in `frames` as one looping animation of about this length."""
    save_animation([Image.open(frame) for frame in frames], file, seconds, rest=1500)


def save_animation(pictures: Sequence[Image.Image], file: Path, seconds: float, rest: int = 0) -> None:
    """A looping GIF of about this length, which shows its last picture for `rest` milliseconds where given."""
    shown = [picture.convert("P", palette=Image.Palette.ADAPTIVE) for picture in pictures]
    duration = max(40, int(1000 * seconds / len(shown)))
    durations = [duration] * (len(shown) - 1) + [rest or duration]
    shown[0].save(file, "GIF", save_all=True, append_images=shown[1:], duration=durations, loop=0)
