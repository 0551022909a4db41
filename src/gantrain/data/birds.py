"""CUB-200-2011 (Wah et al. 2011): birds cut out by their boxes, with the captions of Reed et al. 2016."""

import copy
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gantrain.data.captioned_folder import in_files, ordered
from gantrain.data.folder import Listing, PictureFiles, list_pictures
from gantrain.data.formats.decode import Framing
from gantrain.data.source import fingerprint_of
from gantrain.errors import UserError

ARCHIVE = "CUB_200_2011"
AROUND = 0.75  # of the box's longer side is half the side of the square that is kept
HELD_OUT = 4  # every so-manieth class
LARGEST_LIST = 16 << 20  # bytes
Box = tuple[float, float, float, float]  # left, top, width, height


class CaptionedBirds:
    """Birds under `root/images/CLASS`, each cut to a square about its box, with ten captions in text_c10/CLASS.

    `captions_root` names another folder than text_c10, which may lie in `root` or beside it; with `embeddings` a file
    (.npy, .npz, .safetensors) has what somebody has computed of the captions. Every fourth class is held out, 50 of 200
    as in Reed et al., whose own choice of classes is told only by a pickle. Raises UserError.
    """

    has_held_out = True

    def __init__(self, captions_root: str | None = None, embeddings: str | None = None):
        if captions_root is not None and embeddings is not None:
            raise ValueError("captions_root and embeddings each bring captions; keep one")
        self.captions_root = None if captions_root is None else Path(captions_root).expanduser()
        self.embeddings = None if embeddings is None else Path(embeddings).expanduser()
        self.held = False

    def held_out(self) -> "CaptionedBirds":
        other = copy.copy(self)
        other.held = True
        return other

    def open(self, root: Path | None) -> "BirdPictures":
        if root is None:
            raise UserError(f"data.root: name the folder of {ARCHIVE} with data.root=FOLDER")
        root = root / ARCHIVE if (root / ARCHIVE / "images").is_dir() else root
        if not (root / "images").is_dir():
            raise UserError(f"data.root: there is no folder {root / 'images'}; name that of {ARCHIVE}")
        listing = list_pictures(root / "images")
        boxes = boxes_of(root)
        folders = sorted({name.partition("/")[0] for name in listing.names})
        kept = [number for number in range(len(folders)) if (number % HELD_OUT == HELD_OUT - 1) == self.held]
        chosen = {folders[number]: number for number in kept}
        names = [name for name in listing.names if name.partition("/")[0] in chosen]
        if lacking := [name for name in names if name not in boxes]:
            raise UserError(f"data.root: {root / 'bounding_boxes.txt'} has no box of {lacking[0]!r}; fetch it again")
        if not names:
            raise UserError(
                f"data.root: {root / 'images'} has {len(folders)} classes, which is too few to hold one out"
            )
        whole = Listing(names, listing.fingerprint, listing.passed_over)
        labels = np.array([chosen[name.partition("/")[0]] for name in names])
        source = BirdPictures(root / "images", whole, labels, folders, [boxes[name] for name in names])
        if self.embeddings is not None:
            source.embeddings = ordered(self.embeddings, [f"images/{name}" for name in names], whole=False)
            more = source.embeddings.tobytes()
        else:
            there = [folder for folder in (root / "text_c10", root.parent / "text_c10") if folder.is_dir()]
            texts = self.captions_root or next(iter(there), root / "text_c10")
            source.captions, empty = in_files(texts, names)
            source.dropped = {**source.dropped, **({"empty captions": empty} if empty else {})}
            more = "\0".join(text for captions in source.captions for text in captions).encode()
        source.fingerprint = fingerprint_of(listing.fingerprint, str(self.held), repr(source.boxes), more=more)
        return source


class BirdPictures(PictureFiles):
    """Picture files, each cut to the square about its box."""

    def __init__(self, root: Path, listing: Listing, labels: np.ndarray, class_names: list[str], boxes: list[Box]):
        super().__init__(root, listing, Framing("centre"), labels, class_names)
        self.boxes = boxes

    def read(self, index: int) -> Image.Image:
        with super().read(index) as picture:
            return picture.convert("RGB").crop(around(self.boxes[index], picture.size))


def around(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The square about the middle of a box, as far as the picture has it."""
    left, top, width, height = box
    x, y, half = left + width / 2, top + height / 2, AROUND * max(width, height)
    corners = max(0, int(x - half)), max(0, int(y - half)), min(size[0], int(x + half)), min(size[1], int(y + half))
    if corners[0] >= corners[2] or corners[1] >= corners[3]:
        raise ValueError(f"its box {box} lies outside of the picture")
    return corners


def boxes_of(root: Path) -> dict[str, Box]:
    """The boxes by the names of pictures, from images.txt and bounding_boxes.txt. Raises UserError."""
    names = {words[0]: words[1] for words in rows_of(root / "images.txt", 2)}
    boxes: dict[str, Any] = {}
    for number, *words in rows_of(root / "bounding_boxes.txt", 5):
        try:
            box = tuple(float(word) for word in words)
        except ValueError:
            box = (math.nan,) * 4
        if number not in names or not all(map(math.isfinite, box)) or min(box[2:]) <= 0:
            raise UserError(f"data.root: {root / 'bounding_boxes.txt'} is damaged at {number!r}; fetch it again")
        boxes[names[number]] = box
    return boxes


def rows_of(file: Path, count: int) -> Iterator[list[str]]:
    """The lines of a list, each of `count` words. Raises UserError."""
    try:
        if file.stat().st_size > LARGEST_LIST:
            raise UserError(f"data.root: {file} has more than {LARGEST_LIST >> 20} MB; fetch it again")
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"data.root: cannot read {file} ({error}); it belongs to {ARCHIVE}") from error
    for number, line in enumerate(lines, 1):
        words = line.split()
        if len(words) != count:
            raise UserError(f"data.root: line {number} of {file} has {len(words)} words, not {count}; fetch it again")
        yield words
