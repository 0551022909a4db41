"""Folders of pictures whose test split lies beside them: `<root>/train`, `<root>/val`."""

import copy
from pathlib import Path
from typing import Any

from gantrain.data.folder import ImageFolder, PictureFiles, list_pictures
from gantrain.errors import UserError

HOLDOUT = ", or keep some pictures of training back with data.holdout=0.1"


class SplitFolder(ImageFolder):
    """Every picture under `root/<split>`; those under `root/<test>` are held out. No classes. Else as ImageFolder."""

    def __init__(self, split: str = "train", test: str = "val", **base: Any):
        super().__init__(**base)
        self.split, self.test, self.has_held_out = split, test, True

    def open(self, root: Path | None) -> PictureFiles:
        otherwise = HOLDOUT if self.split == self.test else ""
        if root is not None and (root / "A").is_dir() and (root / "B").is_dir():
            otherwise = ", or add data=pairs_two_folders for pairs of A and B"
        folder = split_of(root, self.split, otherwise)
        return PictureFiles(folder, list_pictures(folder), self.framing)

    def held_out(self) -> "SplitFolder":
        """The test split. Raises UserError where this is it already."""
        if self.split == self.test:
            raise UserError(f"data.dataset.test: training on '{self.test}' leaves nothing to measure with")
        other = copy.copy(self)
        other.split = self.test
        return other


def split_of(root: Path | None, name: str, otherwise: str = "") -> Path:
    """The folder of a split. Raises UserError where it is not there; `otherwise` names one more way out."""
    if root is None:
        raise UserError(f"data.root: name the folder that holds {name} with data.root=FOLDER")
    if not (root / name).is_dir():
        way_out = f"point data.root= at the folder that holds {name}{otherwise}"
        raise UserError(f"data.root: there is no folder {root / name}; {way_out}")
    return root / name
