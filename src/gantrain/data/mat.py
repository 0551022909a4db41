"""Structs of MATLAB files from strangers: bounded in size, no code in them is ever run."""

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
        refuse_if_too_large(file)
        found = loadmat(file, variable_names=[name], squeeze_me=False).get(name)
    except (*DAMAGED, MatReadError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise UserError(f"data.root: {file} is no sound MATLAB file ({reason}); fetch it again") from error
    if found is None or found.dtype.names is None or found.size != 1:
        raise UserError(f"data.root: {file} holds no struct '{name}'; fetch it again")
    if missing := [field for field in fields if field not in found.dtype.names]:
        raise UserError(f"data.root: the struct '{name}' of {file} has no field '{missing[0]}'; fetch it again")
    return {field: np.asarray(found[field].item()).ravel() for field in fields}


def refuse_if_too_large(file: Path) -> None:
    """Raise ValueError where the file is, or unpacks to, more than `LARGEST` bytes."""
    limit = f"more than {LARGEST >> 20} MB"
    if file.stat().st_size > LARGEST:
        raise ValueError(limit)
    unpacked = 0
    with file.open("rb") as stream:
        header = stream.read(HEADER)
        order = ">" if header[126:128] == b"MI" else "<"
        while len(tag := stream.read(8)) == 8:
            kind, size = struct.unpack(f"{order}2I", tag)
            if kind != COMPRESSED:
                unpacked += size
                stream.seek(size, io.SEEK_CUR)
            else:
                unpacked = _unpacked_size(stream.read(size), unpacked)
            if unpacked > LARGEST:
                raise ValueError(limit)


def _unpacked_size(data: bytes, size: int) -> int:
    """`size` and what `data` unpacks to, given up soon after `LARGEST`. Raises ValueError where data are missing."""
    unpacker = zlib.decompressobj()
    while data and size <= LARGEST:
        size += len(unpacker.decompress(data, 1 << 20))
        data = unpacker.unconsumed_tail
    if not unpacker.eof and size <= LARGEST:
        raise ValueError("it is cut off")  # its checksum stands at the end
    return size
