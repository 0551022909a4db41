"""A folder of pictures with captions: text files beside them or in a folder of their own, a CSV, or embeddings."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from gantrain.data.folder import ImageFolder, PictureFiles, is_shown
from gantrain.data.formats.csv_rows import csv_rows
from gantrain.data.formats.embeddings import read_embeddings
from gantrain.data.source import fingerprint_of
from gantrain.errors import UserError

LARGEST_TEXT = 1 << 20  # bytes of one picture's captions
MOST = 1000  # captions of a picture
NAMED = 3


class CaptionedFolder(ImageFolder):
    """Pictures under `root` with captions, one a line, in NAME.txt beside NAME.jpg.

    With `captions_root` the text files lie there, in folders of the same names; with `table` the captions are the rows
    `path,caption` of a CSV in `root`; with `embeddings` a file (.npy, .npz, .safetensors) has what somebody has
    computed of them. Classes, splits and the other options are ImageFolder's.

    `open` raises UserError for a picture without a caption, a caption without its picture, and files that are damaged.
    Empty lines are counted in the source's `dropped`.
    """

    def __init__(
        self,
        captions_root: str | None = None,
        table: str | None = None,
        embeddings: str | None = None,
        **base: Any,
    ):
        super().__init__(**base)
        if sum(source is not None for source in (captions_root, table, embeddings)) > 1:
            raise ValueError("captions_root, table and embeddings each bring captions; keep one")
        self.captions_root = None if captions_root is None else Path(captions_root).expanduser()
        self.table, self.embeddings = table, None if embeddings is None else Path(embeddings).expanduser()

    def open(self, root: Path | None) -> PictureFiles:
        root = None if root is None else root.absolute()
        source = super().open(root)
        # The names of pictures as a list beside data.root has them, from there on.
        inside = source.root.relative_to(root)
        names = [str(PurePosixPath(inside.as_posix(), name)) for name in source.names]
        whole = inside == Path()
        if self.embeddings is not None:
            source.embeddings = ordered(self.embeddings, names, whole)
            more = source.embeddings.tobytes()
        else:
            passed, mine = sum(source.dropped.values()), 0  # of which so many are captions
            if self.table is not None:
                (texts, empty), mine = from_table(root, self.table, names, whole), 1
            else:
                own = self.captions_root
                texts, empty = in_files(own or root, names, among=None if own else source.root)
                mine = 0 if own else len(names)
            source.captions = texts
            told = {"neither pictures nor captions": passed - mine, "empty captions": empty}
            source.dropped = {reason: count for reason, count in told.items() if count > 0}
            more = "\0".join(text for captions in texts for text in captions).encode()
        source.fingerprint = fingerprint_of(source.fingerprint, more=more)
        return source


# ---- text files ------------------------------------------------------------------------------------------------------


def in_files(root: Path, names: Sequence[str], among: Path | None = None) -> tuple[list[list[str]], int]:
    """The captions of pictures of these names in text files of their names under `root`, and how many are empty.

    Where the pictures lie `among` the text files, each of these must belong to one. Raises UserError.
    """
    if not root.is_dir():
        raise UserError(f"data.dataset.captions_root: there is no folder {root}")
    files = {name: str(PurePosixPath(name).with_suffix(".txt")) for name in names}
    if len(set(files.values())) < len(files):
        raise UserError("data.root: some pictures differ in their suffix alone, and share captions; keep one each")
    there = set(text_files(among or root, root))
    if lacking := sorted(name for name, file in files.items() if file not in there):
        raise UserError(
            f"data.root: {len(lacking):,} of {len(names):,} pictures have no caption: {some(lacking)}; each needs a "
            f"text file of its name in {root}, or name data.dataset.captions_root=, table= or embeddings="
        )
    if astray := sorted(there - set(files.values())) if among else []:
        raise UserError(
            f"data.root: {len(astray):,} text files belong to no picture: {some(astray)}; remove them, or add "
            f"their pictures"
        )
    read = [lines_of(root / files[name], root) for name in names]
    return [captions for captions, _ in read], sum(empty for _, empty in read)


def text_files(folder: Path, root: Path) -> Iterator[str]:
    """The names, from `root` on, of the text files in a folder and below."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if is_shown(PurePosixPath(name))]
        for name in files:
            if name.lower().endswith(".txt") and is_shown(PurePosixPath(name)):
                yield Path(place, name).relative_to(root).as_posix()


def lines_of(file: Path, root: Path) -> tuple[list[str], int]:
    """The captions in a text file under `root`, one a line, and how many lines are empty. Raises UserError."""
    if not file.is_file() or not file.resolve().is_relative_to(root.resolve()):
        raise UserError(f"data.root: {file} is no file, or a link that leads out of {root}")
    try:
        if file.stat().st_size > LARGEST_TEXT:
            raise UserError(f"data.root: {file} has more than {LARGEST_TEXT >> 20} MB; it holds one caption a line")
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"data.root: cannot read {file} ({error}); captions are text in UTF-8") from error
    captions = [line.strip() for line in lines if line.strip()]
    if not captions or len(captions) > MOST:
        what = f"{len(captions):,} captions, at most {MOST:,} are read" if captions else "no caption, only empty lines"
        raise UserError(f"data.root: {file} has {what}; it must hold one a line")
    return captions, len(lines) - len(captions)


# ---- lists of all ----------------------------------------------------------------------------------------------------


def from_table(root: Path, table: str, names: Sequence[str], whole: bool) -> tuple[list[list[str]], int]:
    """The captions of pictures of these names in a CSV under `root`, and how many rows are empty. Raises UserError."""
    if PurePosixPath(table).name != table or not table.lower().endswith(".csv") or not (root / table).is_file():
        raise UserError(f"data.dataset.table: '{table}' must be the name of a .csv file in data.root, which is {root}")
    found: dict[str, list[str]] = {name: [] for name in names}
    empty, astray = 0, []
    for path, caption in read_table(root / table):
        if path not in found:
            astray.append(path)
        elif not caption:
            empty += 1
        elif len(found[path]) < MOST:
            found[path].append(caption)
        else:
            raise UserError(f"data.dataset.table: {table} has more than {MOST:,} captions of {path!r}")
    if whole and astray:
        raise UserError(
            f"data.dataset.table: {len(astray):,} rows of {table} are of no picture in {root}: {some(astray)}; paths "
            f"are those of pictures from data.root on"
        )
    if lacking := [name for name, captions in found.items() if not captions]:
        raise UserError(
            f"data.dataset.table: {len(lacking):,} of {len(names):,} pictures have no caption in {table}: "
            f"{some(lacking)}"
        )
    return list(found.values()), empty


def read_table(file: Path) -> Iterator[tuple[str, str]]:
    """The rows of a CSV with a header that names `path` and `caption`. Raises UserError where it is none."""
    for path, caption in csv_rows(file, ("path", "caption"), "data.dataset.table"):
        yield path.replace("\\", "/"), " ".join(caption.split())


def ordered(file: Path, names: Sequence[str], whole: bool) -> np.ndarray:
    """The embeddings (n, k, d) of pictures of these names. Raises UserError where one has none."""
    key = "data.dataset.embeddings"
    values, paths = read_embeddings(file, key)
    if paths is None:
        if len(values) != len(names):
            raise UserError(
                f"{key}: {file} has embeddings of {len(values):,} pictures, and there are {len(names):,}; without "
                f"paths they must be in the order of the pictures' names"
            )
        return values
    rows = {path.replace("\\", "/"): row for row, path in enumerate(paths)}
    if lacking := [name for name in names if name not in rows]:
        raise UserError(
            f"{key}: {len(lacking):,} of {len(names):,} pictures have no embedding in {file}: {some(lacking)}; its "
            f"paths are those of pictures from data.root on, such as {some(list(rows)[:1])}"
        )
    if whole and (astray := sorted(rows.keys() - set(names))):
        raise UserError(f"{key}: {len(astray):,} embeddings of {file} are of no picture: {some(astray)}")
    return values[[rows[name] for name in names]]


def some(names: Sequence[str]) -> str:
    return ", ".join(f"{name!r}" for name in names[:NAMED]) + (", ..." if len(names) > NAMED else "")
