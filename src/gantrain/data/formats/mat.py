"""MATLAB files (version 5 to 7) from strangers: bounded in size and depth, no code in them is ever run."""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from gantrain.errors import UserError

LARGEST_MAT = 1 << 30  # bytes, unpacked; imdb.mat has about 300 MB
DEEPEST = 8  # matrices within matrices; a struct of cells of texts has three
HEADER = 128
MATRIX, COMPRESSED = 14, 15  # types of a file's elements

# What scipy raises for files that are damaged or made to do harm.
DAMAGED_MAT = (
    *(OSError, ValueError, TypeError, LookupError, AttributeError, EOFError, OverflowError, NotImplementedError),
    *(struct.error, zlib.error, MemoryError, RecursionError),
)


def read_struct(file: Path, name: str, fields: Sequence[str]) -> dict[str, np.ndarray]:
    """The flat `fields` of the struct `name`: numbers (n,), or of a field of cells their texts, as objects.

    A cell that is no text is an empty one. Raises UserError where the file is damaged, too large, or lacks the struct
    or a field.
    """
    from scipy.io import loadmat  # half a second of imports
    from scipy.io.matlab import MatReadError

    try:
        if file.stat().st_size > LARGEST_MAT:
            raise ValueError(f"more than {LARGEST_MAT >> 20} MB")
        data = inflated(file.read_bytes(), LARGEST_MAT)
        refuse_deep(data)
        found = loadmat(io.BytesIO(data), variable_names=[name]).get(name)
    except (*DAMAGED_MAT, MatReadError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise UserError(f"data.root: {file} is no sound MATLAB file ({reason}); fetch it again") from error
    if found is None or found.dtype.names is None or found.size != 1:
        raise UserError(f"data.root: {file} holds no struct '{name}'; fetch it again")
    if missing := [field for field in fields if field not in found.dtype.names]:
        raise UserError(f"data.root: the struct '{name}' of {file} has no field '{missing[0]}'; fetch it again")
    return {field: _flat(np.asarray(found[field].item())) for field in fields}


def _flat(values: np.ndarray) -> np.ndarray:
    values = values.ravel(order="F")
    if values.dtype != object:
        return values
    texts = [str(cell.item()) if cell.dtype.kind == "U" and cell.size == 1 else "" for cell in values]
    return np.array(texts, object)


def refuse_deep(data: bytes) -> None:
    """Raise ValueError where matrices of an unpacked MAT-file lie too deep in each other.

    Some ten thousand cells within cells end scipy's reader, and the process with it.
    """
    waiting = [(memoryview(data)[HEADER:], 1)]
    while waiting:
        part, depth = waiting.pop()
        inner = [element[8:] for kind, element in _elements(part, _order(data), 8) if kind == MATRIX]
        if inner and depth > DEEPEST:
            raise ValueError(f"its matrices lie more than {DEEPEST} deep in each other")
        waiting += [(content, depth + 1) for content in inner]


def _order(data: bytes) -> str:
    return "<" if data[126:128] == b"IM" else ">"


def _elements(data: memoryview, order: str, align: int) -> Iterator[tuple[int, memoryview]]:
    """The types of the elements that follow each other in `data`, and these with their tags. Raises ValueError."""
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from(f"{order}2I", data, at)
        if kind >> 16:  # up to four bytes stand in the tag itself
            at += 8
            continue
        if at + 8 + length > len(data):
            raise ValueError("cut off")
        yield kind, data[at : at + 8 + length]
        at += 8 + length + -length % align


def inflated(data: bytes, most: int) -> bytes:
    """The same MAT-file (version 5 to 7) with its elements unpacked: scipy's reader has no bounds.

    Raises ValueError for what is none, cut off, or more than `most` bytes.
    """
    if len(data) < HEADER or data[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
        raise ValueError("no MAT-file of version 5 to 7, or cut off; Matlab writes one with save -v7")
    parts, room = [data[:HEADER]], most
    for kind, element in _elements(memoryview(data)[HEADER:], _order(data), 1):
        if kind == COMPRESSED:
            unpacker = zlib.decompressobj()
            element = unpacker.decompress(element[8:], room)
            if not unpacker.eof:
                raise ValueError(f"cut off, or more than {most >> 20} MB unpacked")
        room -= len(element)
        if room <= 0:
            raise ValueError(f"more than {most >> 20} MB unpacked")
        parts.append(element)
    return b"".join(parts)
