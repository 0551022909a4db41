"""Pictures in a row as an MP4, with the extra `mp4`."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def installed() -> bool:
    """Whether an MP4 can be written here: imageio comes without the encoder."""
    return all(map(importlib.util.find_spec, ("imageio", "imageio_ffmpeg")))


def even(frame: Image.Image) -> Image.Image:
    """Without an odd last row or column: the codec takes even sides."""
    return frame.crop((0, 0, frame.width // 2 * 2, frame.height // 2 * 2))


def save_mp4(frames: Sequence[Image.Image], file: Path, per_second: float) -> None:
    """Write frames of one size."""
    import imageio.v3  # an extra

    shown = np.stack([np.asarray(even(frame.convert("RGB"))) for frame in frames])
    imageio.v3.imwrite(file, shown, plugin="FFMPEG", fps=per_second, codec="libx264", macro_block_size=2)
