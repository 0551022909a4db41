"""One binary volume from a .mat, .npy or .npz file of any origin: bounded, without pickle."""

import io
import math
import tokenize
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from gantrain.data.formats.decode import Unreadable
from gantrain.data.formats.mat import DAMAGED_MAT, inflated, read_array
from gantrain.errors import one_line

SUFFIXES = (".mat", ".npy", ".npz")
LARGEST_SIDE = 256
LARGEST_FILE = 8 * LARGEST_SIDE**3 + (1 << 20)  # bytes, packed and not: one volume of doubles with some room

# What damaged or hostile files make the readers raise.
DAMAGED_VOLUME = (*DAMAGED_MAT, zipfile.BadZipFile, RuntimeError, EOFError, tokenize.TokenError, SyntaxError)


def read_volume(file: Path, key: str) -> np.ndarray:
    """The cube (side, side, side) bool in `file`; `key` names the variable of a .mat or .npz. Raises Unreadable."""
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise ValueError(f"larger than {LARGEST_FILE >> 20} MB")
        data = file.read_bytes()
        return as_cube({".mat": from_mat, ".npy": from_npy, ".npz": from_npz}[file.suffix.lower()](data, key))
    except DAMAGED_VOLUME as error:
        raise Unreadable(one_line(error)[:160]) from error


def as_cube(array: np.ndarray) -> np.ndarray:
    """A binary array of three equal sides as bool. Raises ValueError."""
    check_shape(array.shape)
    if array.dtype.kind not in "buif":
        raise ValueError(f"holds {array.dtype}, not numbers")
    cube = array.astype(bool)
    if not (array == cube).all():
        values = np.unique(array)
        some = ", ".join(f"{value:g}" for value in values[(values != 0) & (values != 1)][:3])
        raise ValueError(f"holds {some}, not only 0 and 1")
    return cube


def check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or len(set(shape)) != 1:
        raise ValueError(f"its shape is {'x'.join(map(str, shape)) or 'a single number'}, not a cube of three sides")
    if not 1 <= shape[0] <= LARGEST_SIDE:
        raise ValueError(f"its side is {shape[0]}, not 1 to {LARGEST_SIDE}")


def no_such(key: str, names: Iterable[str]) -> str:
    return f"has no '{key}' (data.dataset.key), it holds {', '.join(map(repr, names)) or 'nothing'}"


def from_mat(data: bytes, key: str) -> np.ndarray:
    """A variable of a MAT-file of version 5 to 7, which is inflated first, within bounds."""
    inflated_data = inflated(data, LARGEST_FILE)
    try:
        return read_array(inflated_data, key)
    except KeyError as error:
        raise ValueError(no_such(key, map(str, error.args))) from error


def from_npy(data: bytes, key: str) -> np.ndarray:
    stream = io.BytesIO(data)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[np.lib.format.read_magic(stream)]
    shape, fortran, dtype = read_header(stream)
    check_shape(shape)
    if dtype.hasobject:
        raise ValueError("holds Python objects, which could run code")
    return np.frombuffer(data, dtype, math.prod(shape), stream.tell()).reshape(shape, order="F" if fortran else "C")


def from_npz(data: bytes, key: str) -> np.ndarray:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {Path(name).stem: name for name in archive.namelist() if name.endswith(".npy")}
        if key not in names:
            raise ValueError(no_such(key, names))
        if archive.getinfo(names[key]).file_size > LARGEST_FILE:
            raise ValueError(f"larger than {LARGEST_FILE >> 20} MB unpacked")
        with archive.open(names[key]) as member:
            return from_npy(member.read(LARGEST_FILE), key)
