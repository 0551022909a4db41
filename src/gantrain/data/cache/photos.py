"""Photos decoded once, at their full size: one memory-mapped uint8 file, found again by its content's key.

A cache is a folder `<key>` beside those of gantrain.data.cache: `pixels.u8` (the photos one after the other),
`looks.npy` (how each file looked), `sides.npy` (the stored heights and widths), `meta.json` (checksums, reasons). It is
made in a folder of another name, so that a broken build leaves nothing that could be taken for whole.
"""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gantrain.data.cache.kept import LOOK, Kept, checksums, kept, looks_in, seal, sound
from gantrain.data.cache.progress import Decoding
from gantrain.data.formats.decode import Framing, Unreadable, guarded, upright
from gantrain.data.source import Source

VERSION = 1  # raise it when the same source would give other bytes
FILES = ("pixels.u8", "looks.npy", "sides.npy")


class Photos(Kept):
    """Photos (h, w, channels) uint8 by number, mapped from disk; `sides` (n, 2) are their heights and widths.

    `checksums` are those of the pixels' blocks.
    """

    labels = None

    def __init__(self, place: Path, channels: int, looks: np.ndarray, sides: np.ndarray, meta: dict[str, Any]):
        super().__init__(place, looks, meta)
        self.channels, self.sides, self.checksums = channels, sides, meta["files"]["pixels.u8"]
        self.starts = np.concatenate([[0], np.cumsum(sides.prod(1) * channels)])
        pixels = place / "pixels.u8"
        self._pixels = np.memmap(pixels, np.uint8, "r") if self.starts[-1] else np.empty(0, np.uint8)

    def __len__(self) -> int:
        return len(self.sides)

    def __getitem__(self, index: int) -> np.ndarray:
        height, width = self.sides[index]
        return self._pixels[self.starts[index] : self.starts[index + 1]].reshape(height, width, self.channels)

    def take(self, indices: np.ndarray) -> list[np.ndarray]:
        """These photos, each (channels, h, w)."""
        return [self[int(index)].transpose(2, 0, 1) for index in indices]


def open_photos(source: Source, channels: int, least: int = 1, folder: Path | None = None) -> Photos:
    """The photos of `source`, decoded first where that is not done; those with a side below `least` are enlarged.

    Photos that cannot be read are left out and listed; the caller decides whether that will do.
    """
    look: Any = None if source.framing is None else source.framing.background
    if source.framing is not None and source.framing.levels != Framing.levels:
        look = (look, source.framing.levels)
    content = repr(("photos", VERSION, source.fingerprint, channels, least, look))
    return kept(
        source,
        content,
        folder,
        lambda place, meta: _read(place, meta, len(source), channels),
        lambda part: _build(source, channels, least, part),
    )


def _build(source: Source, channels: int, least: int, part: Path) -> None:
    looks = np.zeros(len(source), LOOK)
    sides, reasons = [], {}
    with (part / "pixels.u8").open("wb") as stream, closing(Decoding(len(source))) as progress:
        for index in range(len(source)):
            try:
                with guarded(), source.read(index) as picture:
                    look = (*picture.size, picture.mode)
                    pixels = to_photo(picture, channels, least, source.framing)
            except Unreadable as error:
                reasons[index] = str(error)
            else:
                looks[index] = look
                sides.append(pixels.shape[:2])
                stream.write(pixels.tobytes())
            progress.advance()
    np.save(part / "looks.npy", looks, allow_pickle=False)
    np.save(part / "sides.npy", np.array(sides, np.int64).reshape(-1, 2), allow_pickle=False)
    sums = {name: checksums(part / name) for name in FILES}
    seal(part, {"version": VERSION, "files": sums, "unreadable": reasons})


def to_photo(picture: Image.Image, channels: int, least: int, framing: Framing | None) -> np.ndarray:
    """The whole picture (h, w, channels) uint8, turned as its EXIF says, both sides at least `least` long."""
    picture = upright(picture, channels, framing)
    if min(picture.size) < least:
        factor = least / min(picture.size)
        size = [max(least, round(side * factor)) for side in picture.size]
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    pixels = np.asarray(picture, dtype=np.uint8)
    return pixels[:, :, None] if channels == 1 else pixels


def _read(place: Path, meta: dict[str, Any], count: int, channels: int) -> Photos | None:
    if meta["version"] != VERSION or not all(sound(place / name, meta["files"][name]) for name in FILES):
        return None
    looks, sides = looks_in(place, count), np.load(place / "sides.npy", allow_pickle=False)
    size = (place / "pixels.u8").stat().st_size
    if len(sides) != np.count_nonzero(looks["width"]) or sides.prod(1).sum() * channels != size:
        return None
    return Photos(place, channels, looks, sides, meta)
