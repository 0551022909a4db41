"""Pictures decoded and resized once: a memory-mapped uint8 array on disk, found again by its content's key."""

import json
import os
import shutil
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gantrain.data.source import Source
from gantrain.errors import UserError
from gantrain.rng import derive_seed

VERSION = 1  # raise it when the same source would give other bytes


@dataclass
class Cached:
    """Pictures (n, channels, size, size) uint8 and class numbers (n,) or None."""

    images: np.ndarray
    labels: np.ndarray | None


def default_folder() -> Path:
    """`$GANTRAIN_CACHE`, else `gantrain` in the user's cache folder."""
    own = os.environ.get("GANTRAIN_CACHE")
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(own) if own else (Path(base) if base else Path.home() / ".cache") / "gantrain"


def open_cache(source: Source, size: int, channels: int, folder: Path | None = None) -> Cached:
    """The cache of `source` at this size, built first where it is missing, of another version or damaged."""
    key = f"{derive_seed('cache', VERSION, source.fingerprint, size, channels):016x}"
    place = (folder or default_folder()) / key
    found = _read(place)
    if found is not None:
        return found
    try:
        _build(source, size, channels, place)
    except OSError as error:
        raise UserError(
            f"data.cache_dir: cannot write the cache in {place.parent} ({error.strerror or error}); "
            f"free space or name another folder with data.cache_dir="
        ) from error
    built = _read(place)
    if built is None:
        raise UserError(f"data.cache_dir: the cache just written in {place} reads back damaged; check that disk")
    return built


def to_array(picture: Image.Image, size: int, channels: int) -> np.ndarray:
    """(channels, size, size) uint8: converted to grey or RGB, resized bicubic with antialiasing."""
    picture = picture.convert("L" if channels == 1 else "RGB")
    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.BICUBIC)
    pixels = np.asarray(picture, dtype=np.uint8)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _build(source: Source, size: int, channels: int, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        shape = (len(source), channels, size, size)
        images = np.lib.format.open_memmap(temporary / "images.npy", "w+", np.uint8, shape)
        for index in range(len(source)):
            images[index] = _decode(source, index, size, channels)
        images.flush()
        del images
        if source.labels is not None:
            np.save(temporary / "labels.npy", source.labels.astype(np.int64), allow_pickle=False)
        checksums = {file.name: _checksum(file) for file in sorted(temporary.iterdir())}
        (temporary / "meta.json").write_text(json.dumps({"version": VERSION, "crc32": checksums}))
        if place.exists():
            shutil.rmtree(place)
        temporary.replace(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _decode(source: Source, index: int, size: int, channels: int) -> np.ndarray:
    try:
        return to_array(source.read(index), size, channels)
    except (OSError, ValueError) as error:
        raise UserError(f"data: cannot read {source.name(index)} ({error}); mend or remove it") from error


def _read(place: Path) -> Cached | None:
    try:
        meta = json.loads((place / "meta.json").read_text())
        if meta["version"] != VERSION or any(_checksum(place / f) != crc for f, crc in meta["crc32"].items()):
            return None
        # A plain view: indexing a np.memmap builds a memmap for every batch, at several times the cost.
        images = np.asarray(np.load(place / "images.npy", mmap_mode="r", allow_pickle=False))
        labels = np.load(place / "labels.npy", allow_pickle=False) if "labels.npy" in meta["crc32"] else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # missing or damaged: it is built anew
    return Cached(images, labels)


def _checksum(file: Path) -> int:
    crc = 0
    with file.open("rb") as stream:
        while block := stream.read(1 << 22):
            crc = zlib.crc32(block, crc)
    return crc
