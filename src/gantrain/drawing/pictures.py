"""From the networks' range to pictures people look at: one conversion for grids, scores and export."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

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


def open_png(file: Path) -> Image.Image:
    """A grid of a run. A stranger's may be anything by that name, and some of Pillow's formats start programs."""
    return Image.open(file, formats=("PNG",))


One = TypeVar("One")


def spread(files: Sequence[One], n: int) -> list[One]:
    """At most `n` of them, evenly from the first to the last."""
    if len(files) <= n:
        return list(files)
    return [files[round(i * (len(files) - 1) / (n - 1))] for i in range(n)]


def animate(files: Sequence[Path], out: Path | BinaryIO, most: int, side: int | None = None) -> None:
    """At most `most` of the PNGs as a GIF of about six seconds that rests on the last; their sides at most `side`."""
    shown = []
    for file in spread(files, most):
        with open_png(file) as image:
            image.thumbnail((side, side) if side else image.size)
            shown.append(image.copy())
    save_gif(shown, out, milliseconds=max(60, 6000 // len(shown)), rest=1500)


def save_gif(frames: Sequence[Image.Image], out: Path | BinaryIO, milliseconds: int, rest: int | None = None) -> None:
    """A looping animation, each frame shown for `milliseconds`, the last one for `rest`."""
    # Median cut, Pillow's default for colours, takes half a second for a large grid.
    shown = [
        frame if frame.mode == "L" else frame.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE)
        for frame in frames
    ]
    durations = [milliseconds] * (len(shown) - 1) + [rest or milliseconds]
    shown[0].save(out, "GIF", save_all=True, append_images=shown[1:], duration=durations, loop=0)
