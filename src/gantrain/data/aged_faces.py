"""Faces with ages: WIKI-crop and IMDB-crop (Rothe et al. 2015) by their .mat, or any folder by a CSV."""

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Literal

import numpy as np

from gantrain.data.ages import CLASS_NAMES, OLDEST, YOUNGEST, age_of, class_of
from gantrain.data.folder import Listing, PictureFiles, leads_out, list_pictures
from gantrain.data.formats.csv_rows import csv_rows
from gantrain.data.formats.decode import Framing
from gantrain.data.formats.mat import read_struct
from gantrain.data.source import fingerprint_of
from gantrain.errors import UserError
from gantrain.folders import data_folder

ARCHIVES = ("wiki", "imdb")

NOT_THERE = "no such picture"

Row = tuple[str, float | None, str | None]  # path, age, and why it is dropped whatever its age


class AgedFaces:
    """Pictures of faces in six classes of age, listed by `table` under `root`.

    `table` is wiki.mat, imdb.mat, or a CSV with the columns `path` and `age`; null takes the one that is there. Left
    out, and counted by reason in the source's `dropped`, are pictures that are not there or outside of `root`, those
    without a face or with a second one (as the .mat says), those that were listed before, and ages that are missing,
    under 1 or over 100.
    `crop` is ImageFolder's.
    """

    def __init__(self, table: str | None = None, crop: Literal["centre", "none"] = "centre"):
        self.table, self.framing = table, Framing(crop)

    def open(self, root: Path | None) -> PictureFiles:
        table = find_table(root or data_folder(), self.table)
        listing = list_pictures(table.parent)
        there, labels, missing = set(listing.names), [], ""
        names: dict[str, None] = {}
        dropped: Counter[str] = Counter()
        for path, age, reason in read_csv(table) if table.suffix.lower() == ".csv" else read_mat(table):
            path, astray = placed(path, there)
            if astray == NOT_THERE and not missing:
                missing = f" (such as {path!r})"
            reason = astray or reason or why_no_age(age) or ("listed before" if path in names else None)
            if reason is not None:
                dropped[reason] += 1
            else:
                names[path] = None
                labels.append(class_of(age))
        if missing:
            dropped[NOT_THERE + missing] = dropped.pop(NOT_THERE)
        if not names:
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in dropped.items()) or "it is empty"
            raise UserError(f"data.root: {table} lists no picture to train on: {reasons}")
        kept = Listing([*names], fingerprint_of(listing.fingerprint, *names, more=bytes(labels)))
        source = PictureFiles(table.parent, kept, self.framing, np.array(labels, np.int64), CLASS_NAMES)
        source.dropped = dropped
        return source


def find_table(root: Path, name: str | None) -> Path:
    """The list of pictures under `root`, or where the archives unpack to below it. Raises UserError."""
    if not root.is_dir():
        raise UserError(f"data.root: {root} is {'a file, not a folder' if root.exists() else 'not there'}")
    if name is not None:
        if PurePosixPath(name).name != name or not name.lower().endswith((".mat", ".csv")):
            raise UserError(f"data.dataset.table: '{name}' must be the name of a .mat or .csv file in data.root")
        if not (root / name).is_file():
            raise UserError(f"data.dataset.table: there is no {root / name}")
        return root / name
    folders = (root, *(root / f"{archive}_crop" for archive in ARCHIVES))
    archives = [folder / f"{archive}.mat" for folder in folders for archive in ARCHIVES]
    if found := [file for file in archives if file.is_file()]:
        return found[0]
    tables = sorted(file for file in root.iterdir() if file.suffix.lower() == ".csv")
    if len(tables) == 1:
        return tables[0]
    if tables:
        raise UserError(f"data.root: {root} has {len(tables)} CSV files; choose one with data.dataset.table=NAME")
    raise UserError(
        f"data.root: there is no wiki.mat, no imdb.mat and no CSV (path,age) in {root}; "
        f"point data.root= at the folder that holds one of them"
    )


def read_mat(file: Path) -> Iterator[Row]:
    """The rows of wiki.mat or imdb.mat. Raises UserError where it is damaged."""
    name = file.stem.lower()
    if name not in ARCHIVES:
        raise UserError(f"data.dataset.table: {file.name} must be wiki.mat or imdb.mat, whose structs have these names")
    fields = ("full_path", "dob", "photo_taken", "face_score", "second_face_score")
    columns = read_struct(file, name, fields)
    for field in fields[1:]:
        if columns[field].dtype.kind not in "iuf":
            raise UserError(f"data.root: the field '{field}' of {file} holds no numbers; fetch it again")
    if len({len(column) for column in columns.values()}) != 1:
        raise UserError(f"data.root: the fields of {file} differ in length; fetch it again")
    for path, born, taken, score, second in zip(*(columns[field].tolist() for field in fields), strict=True):
        reason = "no face" if not score > -math.inf else "a second face" if not math.isnan(second) else None
        yield str(path), age_of(born, taken), reason


def read_csv(file: Path) -> Iterator[Row]:
    """The rows of a CSV with a header that names `path` and `age`. Raises UserError where it is none."""
    for path, age in csv_rows(file, ("path", "age"), "data.root"):
        yield path, _age(age), None


def _age(text: str) -> float | None:
    try:
        age = float(text)
    except ValueError:
        return None
    return age if math.isfinite(age) else None


def placed(path: str, there: set[str]) -> tuple[str, str | None]:
    """A path as it is found under the root, and why it is not used: only pictures found there are ever opened."""
    if leads_out(path):
        return path, "a path outside of data.root"
    for found in (path, PureWindowsPath(path).as_posix()):
        if found in there:
            return found, None
    return path, NOT_THERE


def why_no_age(age: float | None) -> str | None:
    if age is None:
        return "no age"
    if age < YOUNGEST:
        return f"age under {YOUNGEST}"
    return f"age over {OLDEST}" if age > OLDEST else None
