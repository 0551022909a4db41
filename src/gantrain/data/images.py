"""Pictures that come as arrays: IDX files (MNIST and its kin), the digits inside scikit-learn."""

import gzip
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from gantrain.data.source import Source
from gantrain.errors import UserError
from gantrain.folders import data_folder

LARGEST_IDX = 1 << 30  # bytes of one file


class ArrayImages(Source):
    """Grey pictures (n, height, width) uint8 held in memory."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, fingerprint: str):
        self.images, self.labels, self.fingerprint = images, labels, fingerprint
        self.names = [f"picture {index}" for index in range(len(images))]

    def read(self, index: int) -> Image.Image:
        return Image.fromarray(self.images[index])


@dataclass
class IdxImages:
    """MNIST or Fashion-MNIST as torchvision lays them out: `<root>/<name>/raw/*-ubyte`, packed with gzip or not.

    `download` fetches them first through torchvision.
    """

    name: Literal["MNIST", "FashionMNIST"] = "MNIST"
    split: Literal["train", "test"] = "train"
    download: bool = False

    def open(self, root: Path | None) -> ArrayImages:
        root = root or data_folder()
        if self.download:
            self._download(root)
        folder, prefix = root / self.name / "raw", "train" if self.split == "train" else "t10k"
        images, image_hash = read_idx(self._find(folder, f"{prefix}-images-idx3-ubyte"), rank=3)
        labels, label_hash = read_idx(self._find(folder, f"{prefix}-labels-idx1-ubyte"), rank=1)
        if len(images) != len(labels):
            raise UserError(f"data.root: {folder} has {len(images)} images but {len(labels)} labels; fetch it again")
        return ArrayImages(images, labels.astype(np.int64), image_hash + label_hash)

    def held_out(self) -> "IdxImages":
        """The test split. Raises UserError where this is it already."""
        if self.split == "test":
            raise UserError("data.dataset.split: training on the test split leaves nothing to measure with")
        return IdxImages(self.name, "test", self.download)

    def _find(self, folder: Path, name: str) -> Path:
        for file in (folder / name, folder / f"{name}.gz"):
            if file.is_file():
                return file
        raise UserError(
            f"data.root: there is no {folder / name}; point data.root= at the folder that holds {self.name}/raw, "
            f"or add data.dataset.download=true to fetch it"
        )

    def _download(self, root: Path) -> None:
        from torchvision import datasets

        try:
            getattr(datasets, self.name)(str(root), download=True)
        except (OSError, RuntimeError) as error:
            raise UserError(f"data.dataset.download: cannot fetch {self.name} into {root} ({error})") from error


def read_idx(file: Path, rank: int) -> tuple[np.ndarray, str]:
    """The unsigned bytes of an IDX file and a hash of them; raises UserError where header and length disagree."""
    length = 4 + 4 * rank
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            header = stream.read(length)
            if len(header) < length or header[:4] != bytes([0, 0, 8, rank]):
                raise UserError(f"data.root: {file} is no IDX file of {rank}-dimensional bytes; fetch it again")
            shape = struct.unpack(f">{rank}I", header[4:])
            promised = math.prod(shape)
            # However much comes out of a gzip file, no more than is promised is taken.
            if promised > LARGEST_IDX:
                raise UserError(
                    f"data.root: {file} is damaged, or too large: its header promises {promised:,} bytes, at most "
                    f"{LARGEST_IDX:,} are read; fetch it again"
                )
            data = stream.read(promised + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"data.root: cannot read {file} ({error}); fetch it again") from error
    if len(data) != promised or 0 in shape:
        held = f"more than {promised}" if len(data) > promised else len(data)
        raise UserError(
            f"data.root: {file} is damaged: its header promises {'x'.join(map(str, shape))} bytes, "
            f"it holds {held}; fetch it again"
        )
    return np.frombuffer(data, np.uint8).reshape(shape), hashlib.sha256(header + data).hexdigest()


class Digits:
    """The 1,797 handwritten digits inside scikit-learn (Alpaydin and Kaynak 1998), 8x8, 17 grey levels."""

    reads_root = False

    def open(self, root: Path | None) -> ArrayImages:
        from sklearn.datasets import load_digits  # a second of imports that only this dataset needs

        digits = load_digits()
        images = np.round(digits.images * (255 / 16)).astype(np.uint8)
        fingerprint = hashlib.sha256(images.tobytes()).hexdigest()
        return ArrayImages(images, digits.target.astype(np.int64), fingerprint)
