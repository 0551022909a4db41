"""Volumes in the layout of 3D ShapeNets (Wu et al. 2015, arXiv 1406.5670): folders of categories."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from gantrain.data.formats.volume_files import SUFFIXES, read_volume
from gantrain.data.source import Source
from gantrain.errors import UserError, did_you_mean
from gantrain.folders import data_folder

SPLITS = ("train", "test")
RESOLUTION = "30"  # the folder's name, whatever the volumes' side


class ShapeNet:
    """`<root>/<category>/30/{train,test}/*.mat`, also .npy and .npz, one volume per file, its last axis upwards.

    `categories` are the classes, in their order; None takes all that are there, by name. `key` names the variable of a
    .mat or .npz. `30` may be missing in the path.
    """

    def __init__(
        self,
        categories: Sequence[str] | str | None = None,
        split: Literal["train", "test"] = "train",
        key: str = "instance",
    ):
        names = [categories] if isinstance(categories, str) else categories
        if names is not None and (not names or len(set(names)) != len(names)):
            raise ValueError(f"categories is {list(names)}: name each once, at least one")
        if unsafe := [name for name in names or [] if Path(name).name != name or name.startswith(".")]:
            raise ValueError(f"categories: {unsafe[0]!r} is no name of a folder")
        self.categories, self.split, self.key = names, split, key

    def open(self, root: Path | None) -> "VolumeFiles":
        root = root or data_folder()
        found = categories_in(root)
        if missing := [name for name in self.categories or () if name not in found]:
            where, meant = root / missing[0] / RESOLUTION / self.split, did_you_mean(missing[0], found)
            raise UserError(f"data.dataset.categories: there is no folder {where}{meant}")
        names = self.categories or found
        if not names:
            raise UserError(
                f"data.root: {root} holds no folder like table/{RESOLUTION}/{self.split}; point data.root= at the "
                f"folder that holds the categories"
            )
        files = [volumes_in(place(root / name) / self.split) for name in names]
        labels = np.repeat(np.arange(len(names)), [len(part) for part in files]) if len(names) > 1 else None
        return VolumeFiles(root, [file for part in files for file in part], labels, names, self.key)

    def held_out(self) -> "ShapeNet":
        """The test split. Raises UserError where this is it already."""
        if self.split == "test":
            raise UserError("data.dataset.split: training on the test split leaves nothing to measure with")
        return ShapeNet(self.categories, "test", self.key)

    def every_class(self) -> "ShapeNet":
        """The same with all categories that are there."""
        return ShapeNet(None, self.split, self.key)


class VolumeFiles(Source):
    """Volume files; `labels` (n,) count through `class_names`, and are None where there is one class."""

    def __init__(
        self, root: Path, files: Sequence[Path], labels: np.ndarray | None, class_names: Sequence[str], key: str
    ):
        self.files, self.labels, self.class_names, self.key = files, labels, list(class_names), key
        self.names = [str(file.relative_to(root)) for file in files]
        digest = hashlib.blake2b(repr((key, self.class_names)).encode(), digest_size=16)
        for name, status in zip(self.names, map(Path.stat, files), strict=True):
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
        self.fingerprint = digest.hexdigest()

    def group(self, index: int) -> str:
        return object_of(self.name(index))

    def volume(self, index: int) -> np.ndarray:
        """(side, side, side) bool. Raises Unreadable."""
        return read_volume(self.files[index], self.key)


def object_of(name: str) -> str:
    """The object of a file named `<object>_<number>_<turn>.mat`: turns are views of one thing."""
    stem = name.rpartition(".")[0]
    turn = re.fullmatch(r"(.*_\d+)_\d{1,3}", stem)
    return turn[1] if turn else stem


def place(category: Path) -> Path:
    inner = category / RESOLUTION
    return inner if inner.is_dir() else category


def categories_in(root: Path) -> list[str]:
    """The names of the folders that are laid out as categories are."""
    if not root.is_dir():
        what = "a file, not a folder" if root.exists() else "not there"
        raise UserError(
            f"data.root: {root} is {what}; name the folder of categories, or use data=shapes3d without files"
        )
    folders = sorted(folder for folder in root.iterdir() if not folder.name.startswith("."))
    return [f.name for f in folders if any((place(f) / split).is_dir() for split in SPLITS)]


def volumes_in(folder: Path) -> list[Path]:
    """Raises UserError where there are none."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [file for file in files if file.suffix.lower() in SUFFIXES and file.is_file() and file.name[0] != "."]
    if not found:
        way_out = "fill it, or hold back some of train with data.holdout=0.1" if folder.name == "test" else "fill it"
        raise UserError(f"data.root: {folder} holds no {', '.join(s[1:] for s in SUFFIXES)}; {way_out}")
    return found
