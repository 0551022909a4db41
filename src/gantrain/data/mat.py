"""MATLAB files from strangers: bounded in size, no code in them is ever run."""

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gantrain.errors import UserError

LARGEST = 1 << 30  # bytes, unpacked; imdb.mat has about 300 MB
HEADER = 128
COMPRESSED = 15  # the type of a packed element of the file

# What scipy raises for files that are damaged or made to do harm.
DAMAGED = (
    *(OSError, ValueError, TypeError, LookupError, AttributeError, EOFError, OverflowError, NotImplementedError),
    *(struct.error, zlib.error, MemoryError, RecursionError),
)


def read_struct(file: Path, name: str, fields: Sequence[str]) -> dict[str, np.ndarray]:
    """The flat `fields` of the struct `name` in a MATLAB 5 file; lists of strings and numbers as MATLAB stores them.

    Raises UserError where the file is damaged, too large, or lacks the struct or a field.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        if file.stat().st_size > LARGEST:
            raise ValueError(f"more than {LARGEST >> 20} MB")
        stream = io.BytesIO(inflated(file.read_bytes(), LARGEST))
        found = loadmat(stream, variable_names=[name], squeeze_me=False).get(name)
    except (*DAMAGED, MatReadError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise UserError(f"data.root: {file} is no sound MATLAB file ({reason}); fetch it again") from error
    if found is None or found.dtype.names is None or found.size != 1:
        raise UserError(f"data.root: {file} holds no struct '{name}'; fetch it again")
    if missing := [field for field in fields if field not in found.dtype.names]:
        raise UserError(f"data.root: the struct '{name}' of {file} has no field '{missing[0]}'; fetch it again")
    return {field: np.asarray(found[field].item()).ravel() for field in fields}


def inflated(data: bytes, most: int) -> bytes:
    """The same MAT-file (version 5 to 7) with its elements unpacked: scipy's reader has no bounds.

    Raises ValueError for what is none, cut off, or more than `most` bytes.
    """
    if len(data) < HEADER or data[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
        raise ValueError("no MAT-file of version 5 to 7, or cut off; Matlab writes one with save -v7")
    order = "<" if data[126:128] == b"IM" else ">"
    parts, at, room = [data[:HEADER]], HEADER, most
    while at < len(data):
        kind, length = struct.unpack_from(f"{order}2I", data, at)
        element = data[at : at + 8 + length]
        if len(element) != 8 + length:
            raise ValueError("cut off")
        if kind == COMPRESSED:
            unpacker = zlib.decompressobj()
            element = unpacker.decompress(element[8:], room)
            if not unpacker.eof:
                raise ValueError(f"cut off, or more than {most >> 20} MB unpacked")
        room -= len(element)
        if room <= 0:
            raise ValueError(f"more than {most >> 20} MB unpacked")
        parts.append(element)
        at += 8 + length
    return b"".join(parts)
