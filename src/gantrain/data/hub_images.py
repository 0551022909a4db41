"""Pictures of a data set on the Hugging Face Hub, or of arrow and parquet files in a folder, by way of `datasets`."""

import copy
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from gantrain.data.folder import SPLITS, TRAINING, is_shown
from gantrain.data.formats.decode import Framing, open_picture
from gantrain.data.source import Source, fingerprint_of
from gantrain.errors import UserError, did_you_mean, first_line, tell

KINDS = (".arrow", ".parquet")
NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
HELD_OUT = ("validation", "valid", "val", "dev", "test")  # the first that is there
LABELS = ("label", "labels", "class")  # a column of one of these names, where no other is said to hold classes
MOST_CLASSES = 10_000
LARGEST = 64 << 20  # bytes of one picture as it is packed


class HubImages:
    """The data set `name` of the Hub (`config` and `revision` where it has several), or, without, files under `root`.

    Files are .arrow (as `save_to_disk` writes them) and .parquet, in sub-folders too; of which split one is says the
    word train, validation or test in its name or folder, else it is for training. `split` is trained on; of the others
    validation, or else test, is held out.

    `image` names the column of pictures, which is else the only one; `label` that of class numbers or names, which is
    else the only one that is declared to hold classes, or is called label; `none` leaves classes out. Pictures are
    turned, flattened and cut as ImageFolder's. Raises UserError.
    """

    def __init__(
        self,
        name: str | None = None,
        config: str | None = None,
        revision: str | None = None,
        split: str = "train",
        image: str | None = None,
        label: str | None = None,
        crop: Literal["centre", "none"] = "centre",
        background: tuple[int, int, int] = (255, 255, 255),
        levels: tuple[int, int] = (0, 65535),
    ):
        if name is not None and not NAME.fullmatch(name):
            raise ValueError(f"name is {name!r}, it must be such as user/name; a folder of files is data.root=FOLDER")
        self.name, self.config, self.revision, self.split = name, config, revision, split
        self.image, self.label = image, label
        self.framing = Framing(crop, tuple(background), tuple(levels))
        self.has_held_out = False  # known once it is open
        self.reads_root = name is None
        self.part = "train"
        self.known: list[str] | None = None  # names of classes that texts have said in training

    def open(self, root: Path | None) -> "Rows":
        parts = self.on_the_hub() if self.name else files_of(root)
        if self.split not in parts:
            raise UserError(f"data.dataset.split: there is no '{self.split}'{did_you_mean(self.split, parts)}")
        held = next((split for split in HELD_OUT if split in parts and split != self.split), None)
        self.has_held_out = held is not None
        split = self.split if self.part == "train" else held
        if self.name is None:
            rows, stamps = read_files(parts[split]), [stamp(file, root) for file in parts[split]]
        else:
            rows, stamps = parts[split], versions(parts[split])
        if not len(rows):
            place = f"data.dataset.name: {self.name}" if self.name else f"data.root: {root}"
            raise UserError(f"{place} holds no row of {split}; name another split or data set")
        image, label = columns_of(rows, self.image, self.label)
        labels, names = (None, None) if label is None else classes_in(rows, label, self.known)
        if self.part == "train":
            self.known = names
        fingerprint = fingerprint_of(*map(str, (self.name, split, image, label)), *stamps)
        return Rows(rows, split, image, labels, names, self.framing, fingerprint, downloads() if self.name else ())

    def held_out(self) -> "HubImages":
        """The split that is held out. Only where `has_held_out`."""
        other = copy.copy(self)
        other.part = "held"
        return other

    def on_the_hub(self) -> Mapping[str, Any]:
        """The data set's splits by name."""
        key = "data.dataset.name"
        if Path(self.name).exists():
            raise UserError(f"{key}: {self.name} is a folder here as well; to read it, write data.root={self.name}")
        with library(key, self.name) as datasets:
            return datasets.load_dataset(self.name, self.config, revision=self.revision)


class Rows(Source):
    """The pictures in a column of rows; `folders` are those in which files may lie that a row names."""

    def __init__(
        self,
        rows: Any,
        split: str,
        column: str,
        labels: np.ndarray | None,
        class_names: Sequence[str] | None,
        framing: Framing,
        fingerprint: str,
        folders: Sequence[Path],
    ):
        self.names = [f"{split} {index}" for index in range(len(rows))]
        self.labels, self.class_names, self.framing, self.fingerprint = labels, class_names, framing, fingerprint
        self.column, self.folders = column, folders
        self.rows = undecoded(rows.select_columns([column]), column)

    def read(self, index: int) -> Image.Image:
        """The picture of a row: its bytes, or a file that was downloaded; else a row could name any of this machine."""
        stored = self.rows[index][self.column]
        data, path = (stored.get("bytes"), stored.get("path")) if isinstance(stored, Mapping) else (stored, None)
        if data is None and path and any(Path(path).resolve().is_relative_to(folder) for folder in self.folders):
            return open_picture(Path(path))
        if not isinstance(data, bytes):
            raise ValueError("the row holds no bytes of a picture")
        if len(data) > LARGEST:
            raise ValueError(f"larger than {LARGEST >> 20} MB")
        return open_picture(io.BytesIO(data))


# ---- where the rows are ----------------------------------------------------------------------------------------------


@contextmanager
def library(key: str, what: Any) -> Iterator[Any]:
    """The package `datasets`; UserError for all that it and pyarrow say of files and of the Hub."""
    try:
        import datasets
        import pyarrow
    except ImportError as error:
        raise UserError(f"{key}: datasets is missing; `pip install 'gantrain[hf]'`") from error
    quiet, level = datasets.are_progress_bars_disabled(), datasets.logging.get_verbosity()
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)  # its errors are ours to tell
    known = (OSError, ValueError, TypeError, LookupError, pyarrow.ArrowException, datasets.exceptions.DatasetsError)
    try:
        yield datasets
    except known as error:
        raise UserError(f"{key}: {what} cannot be read ({first_line(error)})") from error
    finally:
        datasets.logging.set_verbosity(level)
        if not quiet:
            datasets.enable_progress_bars()


def downloads() -> list[Path]:
    """Where the files of data sets of the Hub are."""
    from datasets import config
    from huggingface_hub import constants

    return [Path(folder).resolve() for folder in (config.HF_DATASETS_CACHE, constants.HF_HUB_CACHE)]


def files_of(root: Path | None) -> dict[str, list[Path]]:
    """The files under a folder by the split that their names say. Raises UserError."""
    if root is None or not root.is_dir():
        raise UserError(
            f"data.root: {root or 'nothing'} is no folder; point it at one of {' or '.join(KINDS)} files, or name a "
            f"data set of the Hub with data.dataset.name=user/name"
        )
    home = root.resolve()
    parts: dict[str, list[Path]] = {}
    for file in sorted(root.rglob("*")):
        inside = file.relative_to(root)
        shown = all(map(is_shown, (inside, *inside.parents[:-1]))) and not file.name.startswith("cache-")
        if file.suffix.lower() in KINDS and shown and file.is_file() and file.resolve().is_relative_to(home):
            parts.setdefault(split_of(inside.as_posix()), []).append(file)
    if not parts:
        raise UserError(f"data.root: {root} holds no {' or '.join(KINDS)} file; name another folder")
    return parts


def split_of(name: str) -> str:
    """The split that the last such word in a file's name says."""
    said = [word for word in re.split(r"[^a-z]+", name.lower()) if word in SPLITS]
    if not said or said[-1] in TRAINING:
        return "train"
    return "test" if said[-1].startswith("test") else "validation"


def read_files(files: Sequence[Path]) -> Any:
    """The rows of files, one after the other, mapped from the disk. Raises UserError."""
    with library("data.root", files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more") as datasets:
        rows = [
            datasets.Dataset.from_file(str(file))
            if file.suffix.lower() == ".arrow"
            else datasets.Dataset.from_parquet([str(file)])
            for file in files
        ]
        joined = datasets.concatenate_datasets(rows)
        joined.data.table.validate(full=True)  # a damaged file's offsets may point anywhere
        return joined


def stamp(file: Path, root: Path) -> str:
    status = file.stat()
    return f"{file.relative_to(root)} {status.st_size} {status.st_mtime_ns}"


def versions(rows: Any) -> list[str]:
    """What tells a version of a data set of the Hub: its files in the library's cache are named after the commit."""
    return ["/".join(Path(file["filename"]).parts[-4:]) for file in rows.cache_files]


# ---- what is in them -------------------------------------------------------------------------------------------------


def columns_of(rows: Any, image: str | None, label: str | None) -> tuple[str, str | None]:
    """The columns of pictures and of classes, as named or found. Raises UserError."""
    for key, column in (("image", image), ("label", label)):
        if column is not None and column not in rows.column_names and (key, column) != ("label", "none"):
            raise UserError(
                f"data.dataset.{key}: there is no column '{column}'{did_you_mean(column, rows.column_names)}"
            )
    if image is None:
        found = [name for name, kind in rows.features.items() if holds_pictures(kind)]
        if len(found) != 1:
            many = f"the columns {', '.join(found)} hold" if found else f"none of {', '.join(rows.column_names)} holds"
            raise UserError(f"data.dataset.image: {many} pictures; name one")
        (image,) = found
    if label is None:
        declared = [name for name, kind in rows.features.items() if type(kind).__name__ == "ClassLabel"]
        called = [name for name in LABELS if name in rows.column_names]
        if len(declared) > 1 and not called:
            tell(f"the columns {', '.join(declared)} hold classes, none is taken; data.dataset.label= names one")
        label = declared[0] if len(declared) == 1 else called[0] if called else "none"
    return image, None if label == "none" else label


def holds_pictures(kind: Any) -> bool:
    """Whether a column is declared to hold pictures, or holds bytes as they are packed for it."""
    packed = isinstance(kind, Mapping) and set(kind) == {"bytes", "path"}
    return type(kind).__name__ == "Image" or packed


def undecoded(rows: Any, column: str) -> Any:
    """The rows with packed bytes in a column of pictures."""
    if type(rows.features[column]).__name__ != "Image":
        return rows
    from datasets import Image as Pictures

    return rows.cast_column(column, Pictures(decode=False))


def classes_in(rows: Any, column: str, known: Sequence[str] | None) -> tuple[np.ndarray, list[str] | None]:
    """The class numbers (n,) in a column and their names, where it has some; texts count as in `known`, where it is.

    Raises UserError.
    """
    values, key = rows.data.column(column).to_pylist(), f"data.dataset.label: the column '{column}'"
    kinds = {type(value) for value in values}
    if kinds == {str}:
        names = sorted(set(values)) if known is None else list(known)
        if len(names) > MOST_CLASSES:
            raise UserError(f"{key} holds {len(names):,} texts; data.dataset.label=none leaves it out")
        if unknown := set(values) - set(names):
            raise UserError(f"{key} holds '{min(unknown)}', which is no class of the training pictures")
        number_of = {name: number for number, name in enumerate(names)}
        return np.array([number_of[value] for value in values], np.int64), names
    if not kinds <= {int, bool} or not all(0 <= value < MOST_CLASSES for value in values):
        raise UserError(f"{key} holds more than class numbers from 0 or texts; data.dataset.label=none leaves it out")
    names = getattr(rows.features[column], "names", None)
    return np.array(values, np.int64), None if names is None else list(names)
