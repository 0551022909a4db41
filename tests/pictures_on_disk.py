"""Folders of small picture files, made by the tests."""

import numpy as np
from PIL import Image


def write_picture(file, value=0, size=(8, 8), mode="RGB"):
    """One picture of a shade, different enough from the next to be told apart."""
    file.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(value).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(file)
    return file


def make_pictures(root, count=6, **options):
    for i in range(count):
        write_picture(root / f"{i:03d}.png", i, **options)
    return root
