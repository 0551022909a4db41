"""Two folders of pictures whose names agree, as pairs: what stands in A belongs to what stands in B."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image, ImageOps

from gantrain.data.folder import ImageFolder, Listing, PictureFiles, joined, list_pictures, splits_in
from gantrain.data.formats.decode import Framing, flat, open_picture
from gantrain.data.split_folder import split_of
from gantrain.errors import UserError

SAME_ASPECT = 0.02  # how far, as a share, the shapes of a pair may differ


class PairedFolders(ImageFolder):
    """Pairs of the pictures under `root/<a>` and `root/<b>` that have one name but for its suffix, A at the left.

    The other options are ImageFolder's. `open` raises UserError for a folder that is missing, empty or holds splits,
    and for a picture without its other.
    """

    def __init__(self, a: str = "A", b: str = "B", **base: Any):
        super().__init__(**base)
        if a == b:
            raise ValueError(f"a and b are both '{a}', they must be two folders")
        self.folders = {"a": a, "b": b}

    def open(self, root: Path | None) -> "Beside":
        stems, listings = {}, {}
        for side, name in self.folders.items():
            folder = split_of(root, name)
            if splits := splits_in(folder):
                raise UserError(
                    f"data.root: {folder} holds the splits {' and '.join(split.name for split in splits)}; choose one "
                    f"of both folders, as in data.dataset.{side}={name}/{splits[-1].name}"
                )
            listings[side] = list_pictures(folder)
            stems[side] = {str(PurePosixPath(file).with_suffix("")): f"{name}/{file}" for file in listings[side].names}
            if len(stems[side]) < len(listings[side].names):
                raise UserError(f"data.root: some pictures in {folder} differ in their suffix alone; keep one of each")
        if alone := sorted(stems["a"].keys() ^ stems["b"].keys()):
            file = stems["a"].get(alone[0]) or stems["b"][alone[0]]
            raise UserError(
                f"data.root: {len(alone):,} pictures of {' and '.join(self.folders.values())} have no other of their "
                f"name, such as {file!r}; the two of a pair have one name"
            )
        left, right = ([names[stem] for stem in sorted(names)] for names in (stems["a"], stems["b"]))
        return Beside(root, left, joined(right, [*listings.values()]), self.framing)


class Beside(PictureFiles):
    """Each picture of a listing with the one that is its `other`, at the left, in one picture."""

    def __init__(self, root: Path, others: Sequence[str], listing: Listing, framing: Framing):
        super().__init__(root, listing, framing)
        self.others = others

    def read(self, index: int) -> Image.Image:
        pair = []
        for name in (self.others[index], self.names[index]):
            with open_picture(self.root / name) as stored:
                pair.append(flat(ImageOps.exif_transpose(stored), self.framing).convert("RGB"))
        left, right = pair
        if abs(left.width * right.height / (left.height * right.width) - 1) > SAME_ASPECT:
            sizes = " and ".join(f"{part.width}x{part.height}" for part in pair)
            raise ValueError(f"{sizes} pixels, which do not lie one on the other")
        both = Image.new("RGB", (2 * right.width, right.height))
        both.paste(left.resize(right.size, Image.Resampling.BICUBIC), (0, 0))
        both.paste(right, (right.width, 0))
        return both
