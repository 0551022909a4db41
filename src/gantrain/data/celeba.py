"""CelebA's aligned faces (Liu et al. 2015, arXiv 1411.7766), from their folder or straight from their zip."""

from pathlib import Path
from typing import Literal

from gantrain.data.folder import PictureFiles, list_pictures
from gantrain.data.formats.decode import Framing
from gantrain.data.source import Source
from gantrain.data.zipped import ZippedPictures
from gantrain.errors import UserError
from gantrain.folders import data_folder

NAME = "img_align_celeba"


class CelebA:
    """The 202,599 JPEGs of 178x218: `img_align_celeba`, or `img_align_celeba.zip` as it came, under `root`.

    Also found in `root/celeba`, where torchvision puts them; `root` may name the zip or the folder itself. The folder
    comes before the zip. `crop` is ImageFolder's; there are no labels.
    """

    def __init__(self, crop: Literal["centre", "none"] = "centre"):
        self.framing = Framing(crop)

    def open(self, root: Path | None) -> Source:
        root = root or data_folder()
        folders = [root / NAME, root / "celeba" / NAME, *([root] if root.name == NAME else [])]
        for folder in folders:
            if folder.is_dir():
                return PictureFiles(folder, list_pictures(folder), self.framing)
        for file in (root / f"{NAME}.zip", root / "celeba" / f"{NAME}.zip", root):
            if file.is_file():
                return ZippedPictures(file, self.framing)
        raise UserError(
            f"data.root: there is neither {root / NAME} nor {root / NAME}.zip; "
            f"point data.root= at the folder that holds one of them"
        )
