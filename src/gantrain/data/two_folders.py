"""Two folders of pictures without pairs, as CycleGAN's data come: trainA, trainB, testA, testB."""

from pathlib import Path
from typing import Any

import numpy as np

from gantrain.data.folder import ImageFolder, PictureFiles, joined, list_pictures
from gantrain.data.split_folder import split_of


class TwoFolders(ImageFolder):
    """Every picture under `root/<a>`, class 0, and `root/<b>`, class 1; those of `test_a` and `test_b` are held out.

    The other options are ImageFolder's. `open` raises UserError for a folder that is missing or empty.
    """

    def __init__(self, a: str = "trainA", b: str = "trainB", test_a: str = "testA", test_b: str = "testB", **base: Any):
        super().__init__(**base)
        if a == b:
            raise ValueError(f"a and b are both '{a}', they must be two folders")
        self.folders, self.tests = (a, b), (test_a, test_b)

    def open(self, root: Path | None) -> PictureFiles:
        listings = [list_pictures(split_of(root, name)) for name in self.folders]
        self.has_held_out = all((root / name).is_dir() for name in self.tests)
        names = [
            f"{folder}/{name}" for folder, found in zip(self.folders, listings, strict=True) for name in found.names
        ]
        labels = np.repeat([0, 1], [len(found.names) for found in listings])
        return PictureFiles(root, joined(names, listings, *self.folders), self.framing, labels, self.folders)

    def held_out(self) -> "TwoFolders":
        """The test folders."""
        other = TwoFolders(*self.tests, *self.tests)
        other.framing = self.framing
        return other
