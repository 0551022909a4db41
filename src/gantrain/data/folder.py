"""A folder of picture files of any kind and size; class sub-folders become labels."""

import contextlib
import copy
import hashlib
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Literal

import numpy as np
from PIL import Image

from gantrain.data.formats.decode import SUFFIXES, Framing, open_picture
from gantrain.data.source import Source, fingerprint_of
from gantrain.errors import UserError, tell

LOOKED_INTO = 64  # files, of whose ends so many bytes count
END_BYTES = 4096
TRAINING = ("train", "training")
SPLITS = (*TRAINING, "val", "valid", "validation", "dev", "eval", "test", "testing")


class ImageFolder:
    """Every png, jpg, jfif, webp, bmp and gif (first frame) under `root`, however deep; hidden files are left out.

    Where all of them lie in folders called train, val or test, those under train are the pictures, and those under val,
    or else under test, are held out. Where they lie only in the folders right below, and there are at least two such
    folders, these are the classes, numbered by name, or by value where all names are numbers.

    A picture is turned as its EXIF says, laid on `background` (RGB in 0..255) where it is transparent, and made grey or
    RGB; `levels` are the values of 16-bit files that become black and white. With `crop: centre` its shorter side is
    scaled to data.size (bicubic, antialiased) and the centred square kept; with `crop: none` the whole picture is
    squashed into the square.

    `open` raises UserError for a missing or empty folder and for a class folder without a picture. Links that lead out
    of `root`, and links to folders, are left out with a warning.
    """

    def __init__(
        self,
        crop: Literal["centre", "none"] = "centre",
        background: tuple[int, int, int] = (255, 255, 255),
        levels: tuple[int, int] = (0, 65535),
    ):
        self.framing = Framing(crop, tuple(background), tuple(levels))
        self.has_held_out = False  # known once it is open
        self.part = "train"

    def open(self, root: Path | None) -> "PictureFiles":
        if root is None:
            raise UserError("data.root: name the folder of pictures with data.root=FOLDER")
        train, held = parts_of(root, told=self.part == "train")
        self.has_held_out = held is not None
        listing = list_pictures(train)
        labels, names = _classes(train, listing.names)
        if self.part == "train":
            return PictureFiles(train, listing, self.framing, labels, names)
        listing = list_pictures(held)
        return PictureFiles(held, listing, self.framing, *_classes(held, listing.names, names))

    def held_out(self) -> "ImageFolder":
        """The pictures under val or test; the classes are those of train. Only where `has_held_out`."""
        other = copy.copy(self)
        other.part = "held"
        return other


class PictureFiles(Source):
    """Picture files by their names relative to `root`."""

    def __init__(
        self,
        root: Path,
        listing: "Listing",
        framing: Framing,
        labels: np.ndarray | None = None,
        class_names: Sequence[str] | None = None,
    ):
        self.root, self.names, self.fingerprint = root.absolute(), listing.names, listing.fingerprint
        self.framing, self.labels, self.class_names = framing, labels, class_names
        self.dropped = listing.passed_over

    def read(self, index: int) -> Image.Image:
        return open_picture(self.root / self.names[index])


@dataclass
class Listing:
    """The pictures under a folder: sorted `names`, and a fingerprint of what they are.

    It covers their names, sizes and times, and the ends of some: two data sets of arrays may agree in all the rest.
    `passed_over` counts the files of other kinds, by a reason that names one.
    """

    names: list[str]
    fingerprint: str
    passed_over: dict[str, int] = field(default_factory=dict)


def joined(names: list[str], listings: Sequence[Listing], *words: str) -> Listing:
    """The listings of several folders as one of these names; the `words` are part of its fingerprint."""
    passed_over = sum((Counter(found.passed_over) for found in listings), Counter())
    return Listing(names, fingerprint_of(*words, *(found.fingerprint for found in listings)), passed_over)


def list_pictures(root: Path, key: str = "data.root") -> Listing:
    """Find the pictures under `root` without decoding one. Raises UserError that names `key` where there are none."""
    if not root.is_dir():
        reason = "a file, not a folder" if root.exists() else "not there"
        raise UserError(f"{key}: {root} is {reason}; point {key}= at the folder of pictures")
    stamps: dict[str, tuple[int, int]] = {}  # size and time of last change by name
    links, others = [], []
    try:
        for name, entry in _entries(root):
            is_picture = name.lower().endswith(SUFFIXES)
            if entry.is_symlink() and (is_picture or Path(entry.path).is_dir()) and not _leads_to_file(entry, root):
                links.append(name)
            elif is_picture and entry.is_file():
                with contextlib.suppress(FileNotFoundError):  # gone since its folder was listed
                    status = entry.stat()
                    stamps[name] = (status.st_size, status.st_mtime_ns)
            else:
                others.append(name)  # a pipe or device would block or worse
    except OSError as error:
        raise UserError(f"{key}: cannot look into {error.filename} ({error.strerror})") from error
    if links:
        some = ", ".join(map(repr, sorted(links)[:3])) + (" ..." if len(links) > 3 else "")
        why = f"for they lead to folders, nowhere or out of {root}"
        tell(f"data.root: {len(links):,} links are left out, {why}: {some}")
    if not stamps:
        held = f"{len(others):,} files but no" if others else "no"
        raise UserError(f"{key}: {root} holds {held} {', '.join(s[1:] for s in SUFFIXES)}; name another folder")
    names = sorted(stamps)
    digest = hashlib.blake2b(digest_size=16)
    for name in names:
        digest.update(os.fsencode(name) + b"\0%d\0%d\0" % stamps[name])
    for i in range(min(LOOKED_INTO, len(names))):
        digest.update(_ends(root / names[i * len(names) // min(LOOKED_INTO, len(names))]))
    return Listing(names, digest.hexdigest(), passed_over(others))


def passed_over(others: Sequence[str]) -> dict[str, int]:
    """How many files are of a kind that is not read, by a reason that names one."""
    kinds = ", ".join(suffix[1:] for suffix in SUFFIXES)
    return {f"none of {kinds} (such as {min(others)!r})": len(others)} if others else {}


def splits_in(root: Path) -> list[Path]:
    """The folders right below `root` where all of them have the names of splits."""
    folders = sorted(place for place in root.iterdir() if is_shown(place) and place.is_dir())
    return folders if all(place.name.lower() in SPLITS for place in folders) else []


def parts_of(root: Path, told: bool = True) -> tuple[Path, Path | None]:
    """The folder `train` of a root that holds nothing but splits, else the root; and the split that is held out.

    Splits taken for classes would be trained on, the one for validation too. Raises UserError.
    """
    if not root.is_dir():
        return root, None  # which `list_pictures` tells
    splits = splits_in(root)
    train = next((place for place in splits if place.name.lower() in TRAINING), None)
    if not splits or (train is None and len(splits) == 1):
        return root, None
    named = " and ".join(place.name for place in splits)
    shown = sorted(filter(is_shown, root.iterdir()))
    astray = next((place for place in shown if place.name.lower().endswith(SUFFIXES)), None)
    if train is None or astray is not None:
        reason = "none is for training" if astray is None else f"{astray.name!r} lies in none of them"
        raise UserError(
            f"data.root: {named} in {root} are splits by their names, but {reason}; point data.root= at the folder of "
            f"the pictures to train on"
        )
    others = sorted((place for place in splits if place != train), key=lambda place: SPLITS.index(place.name.lower()))
    if told and others:
        unread = f", {' and '.join(place.name for place in others[1:])} stays unread" if others[1:] else ""
        read = f"training reads {train.name} alone, {others[0].name} is held out"
        tell(f"data.root: {named} are splits: {read}{unread}")
    return train, next(iter(others), None)


def _entries(root: Path) -> Iterator[tuple[str, os.DirEntry]]:
    """What is in `root` and below but folders, with its name relative to `root`; nothing hidden."""
    waiting: list[tuple[str, str]] = [(str(root), "")]
    while waiting:
        folder, inside = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in filter(is_shown, entries):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, f"{inside}{entry.name}/"))
                else:
                    yield inside + entry.name, entry


def is_shown(entry: os.DirEntry | PurePath) -> bool:
    """Whether a file or folder counts, by its name alone: neither what is hidden nor what macOS adds to archives."""
    return not entry.name.startswith(".") and entry.name != "__MACOSX"


def leads_out(path: str) -> bool:
    """Whether a path in somebody's list or archive leads out of where that lies, on whatever system."""
    windows = PureWindowsPath(path)
    return bool(PurePosixPath(path).is_absolute() or windows.drive or windows.root or ".." in windows.parts)


def _leads_to_file(link: os.DirEntry, root: Path) -> bool:
    """Whether a link ends at a file in `root` or below."""
    file = Path(os.path.realpath(link.path))
    return file.is_relative_to(os.path.realpath(root)) and file.is_file()


def _ends(file: Path) -> bytes:
    """The checksum of a file's first and last bytes; empty where it cannot be read, which decoding will tell."""
    try:
        with file.open("rb") as stream:
            checksum = zlib.crc32(stream.read(END_BYTES))
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - END_BYTES))
            return b"%d\0" % zlib.crc32(stream.read(END_BYTES), checksum)
    except OSError:
        return b""


def _classes(
    root: Path, names: Sequence[str], known: Sequence[str] | None = None
) -> tuple[np.ndarray | None, list[str] | None]:
    """The class numbers and names of pictures under `root`; where classes are `known`, these. Raises UserError."""
    if known is not None:
        of = [name.partition("/")[0] for name in names]
        if unknown := set(of) - set(known):
            raise UserError(
                f"data.root: {str(root / min(unknown))!r} is no class of the training pictures; there are "
                f"{', '.join(known)}"
            )
        return np.array([known.index(name) for name in of]), list(known)
    folders = [f.name for f in root.iterdir() if is_shown(f) and f.is_dir() and not f.is_symlink()]
    numbers = all(name.isascii() and name.isdigit() for name in folders)
    folders.sort(key=lambda name: (int(name) if numbers else 0, name))
    if len(folders) < 2 or any(name.count("/") != 1 for name in names):
        return None, None
    of = [name.partition("/")[0] for name in names]
    if empty := set(folders) - set(of):
        raise UserError(
            f"data.root: the class folder {str(root / min(empty))!r} holds no picture; fill it or remove it"
        )
    number_of = {name: number for number, name in enumerate(folders)}
    return np.array([number_of[name] for name in of]), folders
