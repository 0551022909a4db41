"""MATLAB files (version 5 to 7) from strangers: bounded in size and depth, no code in them is ever run.

scipy's reader has no bounds: a small file unpacks to any size, and cells within cells, some ten thousand deep, end the
process. Structs of flat fields are therefore read here.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from gantrain.errors import UserError

LARGEST = 1 << 30  # bytes, unpacked; imdb.mat has about 300 MB
HEADER = 128
MATRIX, COMPRESSED = 14, 15  # types of a file's elements
CELL, STRUCT, CHAR = 1, 2, 4  # classes of a matrix
NUMBERS = range(6, 16)  # classes: double, single, int8 to uint64
DTYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}  # by element
ENCODINGS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}

# What damaged files make these functions, or scipy's, raise.
DAMAGED = (
    *(OSError, ValueError, TypeError, LookupError, AttributeError, EOFError, OverflowError, NotImplementedError),
    *(struct.error, zlib.error, MemoryError, RecursionError),
)


def read_struct(file: Path, name: str, fields: Sequence[str]) -> dict[str, np.ndarray]:
    """The flat `fields` of the struct `name`: numbers (n,), or of a field of cells their texts, as objects.

    A cell that is no text is an empty one. Raises UserError where the file is damaged, too large, or lacks the struct
    or a field.
    """
    try:
        if file.stat().st_size > LARGEST:
            raise ValueError(f"more than {LARGEST >> 20} MB")
        data = inflated(file.read_bytes(), LARGEST)
        order = "<" if data[126:128] == b"IM" else ">"
        found = _struct(memoryview(data)[HEADER:], order, name)
        values = None if found is None else {field: _flat(found[field], order) for field in fields if field in found}
    except DAMAGED as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise UserError(f"data.root: {file} is no sound MATLAB file ({reason}); fetch it again") from error
    if values is None:
        raise UserError(f"data.root: {file} holds no struct '{name}'; fetch it again")
    if missing := [field for field in fields if field not in values]:
        raise UserError(f"data.root: the struct '{name}' of {file} has no field '{missing[0]}'; fetch it again")
    return values


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """The types and contents of the elements that follow each other in `data`. Raises ValueError."""
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from(f"{order}2I", data, at)
        start = at + 8
        if kind >> 16:  # up to four bytes stand in the tag itself
            kind, length, start = kind & 0xFFFF, kind >> 16, at + 4
        if start + length > len(data) or (start == at + 4 and length > 4):
            raise ValueError("cut off")
        yield kind, data[start : start + length]
        at = max(at + 8, start + length + -length % 8 if start == at + 8 else at + 8)


def _matrix(data: memoryview, order: str) -> tuple[int, str, Iterator[tuple[int, memoryview]]]:
    """A matrix' class, its name, and the elements after these. Raises ValueError."""
    parts = _elements(data, order)
    try:
        (_, flags), _, (_, name) = next(parts), next(parts), next(parts)
    except StopIteration:
        return 0, "", iter(())  # an empty one
    return struct.unpack_from(f"{order}I", flags)[0] & 0xFF, bytes(name).decode("latin-1"), parts


def _struct(data: memoryview, order: str, name: str) -> dict[str, memoryview] | None:
    """The fields' matrices of the one struct `name` of a file, or None. Raises ValueError."""
    for kind, content in _elements(data, order):
        if kind != MATRIX:
            continue
        matrix, its_name, parts = _matrix(content, order)
        if matrix != STRUCT or its_name != name:
            continue
        (_, width), (_, names), *values = parts
        (width,) = struct.unpack_from(f"{order}i", width)
        if not 1 <= width <= 64 or len(names) % width:
            raise ValueError("a struct's names have no sound length")
        keys = [bytes(names[i : i + width]).split(b"\0")[0].decode("latin-1") for i in range(0, len(names), width)]
        return dict(zip(keys, (value for _, value in values), strict=True))
    return None


def _flat(data: memoryview, order: str) -> np.ndarray:
    """A field's numbers (n,), or the texts of its cells as objects, or a text's one. Raises ValueError."""
    matrix, _, parts = _matrix(data, order)
    if matrix in NUMBERS:
        kind, content = next(parts, (9, b""))
        return np.frombuffer(content, np.dtype(DTYPES[kind]).newbyteorder(order))
    texts = [_text(content, order) for _, content in parts] if matrix == CELL else [_text(data, order)]
    return np.array(texts, object)


def _text(data: memoryview, order: str) -> str:
    matrix, _, parts = _matrix(data, order)
    if matrix != CHAR:
        return ""
    kind, content = next(parts, (1, b""))
    encoding = ENCODINGS[kind]
    if encoding in ("utf-16", "utf-32"):
        encoding += "-le" if order == "<" else "-be"
    return bytes(content).decode(encoding, "surrogatepass" if encoding.startswith("utf") else "strict")


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
