"""A folder of picture files of any kind and size; class sub-folders become labels."""

import hashlib
import os
import stat
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from gantrain.data.formats.decode import SUFFIXES, Framing, open_picture
from gantrain.errors import UserError

LOOKED_INTO = 64  # files, of whose ends so many bytes count
END_BYTES = 4096


class ImageFolder:
    """Every png, jpg, jpeg, webp, bmp and gif (first frame) under `root`, however deep; hidden files are left out.

    Where pictures lie only in the folders right below `root`, and there are at least two such folders, these are the
    classes, numbered by name. A picture is turned as its EXIF says, laid on `background` (RGB in 0..255) where it is
    transparent, and made grey or RGB. With `crop: centre` its shorter side is scaled to data.size (bicubic,
    antialiased) and the centred square kept; with `crop: none` the whole picture is squashed into the square.

    `open` raises UserError for a missing or empty folder and for a class folder without a picture. Links that lead out
    of `root`, and links to folders, are left out with a warning.
    """

    def __init__(self, crop: Literal["centre", "none"] = "centre", background: tuple[int, int, int] = (255, 255, 255)):
        self.framing = Framing(crop, tuple(background))

    def open(self, root: Path | None) -> "PictureFiles":
        if root is None:
            raise UserError("data.root: name the folder of pictures with data.root=FOLDER")
        listing = list_pictures(root)
        return PictureFiles(root, listing, self.framing, *_classes(root, listing))


class PictureFiles:
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

    def __len__(self) -> int:
        return len(self.names)

    def read(self, index: int) -> Image.Image:
        return open_picture(self.root / self.names[index])

    def name(self, index: int) -> str:
        return self.names[index]


@dataclass
class Listing:
    """The pictures under a folder: sorted `names`, `folders` right below it, fingerprint of what they are.

    It covers their names, sizes and times, and the ends of some: two data sets of arrays may agree in all the rest.
    """

    names: list[str]
    folders: list[str]
    fingerprint: str


@dataclass
class _Found:
    stamps: dict[str, tuple[int, int]] = field(default_factory=dict)  # size and time of last change by name
    folders: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)  # left out
    others: int = 0


def list_pictures(root: Path, key: str = "data.root") -> Listing:
    """Find the pictures under `root` without decoding one. Raises UserError that names `key` where there are none."""
    if not root.is_dir():
        reason = "a file, not a folder" if root.exists() else "not there"
        raise UserError(f"{key}: {root} is {reason}; point {key}= at the folder of pictures")
    found = _Found()
    try:
        for folder in _walk(root, found):
            if folder and "/" not in folder:
                found.folders.append(folder)
    except OSError as error:
        raise UserError(f"{key}: cannot look into {error.filename} ({error.strerror})") from error
    if found.links:
        some = ", ".join(map(repr, sorted(found.links)[:3])) + (" ..." if len(found.links) > 3 else "")
        print(
            f"gantrain: data.root: {len(found.links):,} links are left out, "
            f"for they lead to folders, nowhere or out of {root}: {some}",
            file=sys.stderr,
            flush=True,
        )
    if not found.stamps:
        held = f"{found.others:,} files but no" if found.others else "no"
        raise UserError(f"{key}: {root} holds {held} {', '.join(s[1:] for s in SUFFIXES)}; name another folder")
    names = sorted(found.stamps)
    digest = hashlib.blake2b(digest_size=16)
    for name in names:
        digest.update(os.fsencode(name) + b"\0%d\0%d\0" % found.stamps[name])
    for i in range(min(LOOKED_INTO, len(names))):
        digest.update(_ends(root / names[i * len(names) // min(LOOKED_INTO, len(names))]))
    return Listing(names, sorted(found.folders), digest.hexdigest())


def _ends(file: Path) -> bytes:
    """The checksum of a file's first and last bytes; empty where it cannot be read, which decoding will tell."""
    try:
        with file.open("rb") as stream:
            checksum = zlib.crc32(stream.read(END_BYTES))
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - END_BYTES))
            return b"%d\0" % zlib.crc32(stream.read(END_BYTES), checksum)
    except OSError:
        return b""


def _walk(root: Path, found: _Found) -> Iterator[str]:
    """Note what is in `root` and below; yields the folders by their names relative to it."""
    real, waiting = os.path.realpath(root), [""]
    while waiting:
        folder = waiting.pop()
        yield folder
        with os.scandir(root / folder) as entries:
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.name.startswith(".") or entry.name == "__MACOSX":
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(name)
                elif not entry.name.lower().endswith(SUFFIXES) and not (
                    entry.is_symlink() and Path(entry.path).is_dir()
                ):
                    found.others += 1
                else:
                    _note(entry, name, real, found)


def _note(entry: os.DirEntry, name: str, real: str, found: _Found) -> None:
    if entry.is_symlink() and not os.path.realpath(entry.path).startswith(real.rstrip(os.sep) + os.sep):
        found.links.append(name)
        return
    try:
        status = entry.stat()
    except OSError as error:
        if entry.is_symlink():  # to nowhere, or in a circle
            found.links.append(name)
        elif not isinstance(error, FileNotFoundError):  # gone since the folder was listed
            raise
        return
    if stat.S_ISREG(status.st_mode):
        found.stamps[name] = (status.st_size, status.st_mtime_ns)
    elif entry.is_symlink():
        found.links.append(name)
    else:
        found.others += 1  # a pipe or device would block or worse


def _classes(root: Path, listing: Listing) -> tuple[np.ndarray | None, list[str] | None]:
    if len(listing.folders) < 2 or any(name.count("/") != 1 for name in listing.names):
        return None, None
    of = [name.partition("/")[0] for name in listing.names]
    if empty := sorted(set(listing.folders) - set(of)):
        raise UserError(f"data.root: the class folder {str(root / empty[0])!r} holds no picture; fill it or remove it")
    numbers = {name: number for number, name in enumerate(listing.folders)}
    return np.array([numbers[name] for name in of], np.int64), listing.folders
