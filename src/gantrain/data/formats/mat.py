"""MATLAB files (version 5 to 7) from strangers: bounded in size and depth, no code in them is ever run."""

import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gantrain.errors import UserError, one_line

LARGEST_MAT = 1 << 30  # bytes, unpacked; imdb.mat has about 300 MB
HEADER = 128
MOST_SIDES = 32
# Types of a file's elements, of those with numbers as NumPy calls them.
MATRIX, COMPRESSED, UINT16, UTF8, UTF16 = 14, 15, 4, 16, 17
KINDS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
# Forms of matrices, and the numbers that they are of, which may be stored as smaller ones.
CELLS, STRUCT, CHARACTERS = 1, 2, 4
IMAGINARY = 0x800  # the bit of those that have an imaginary part too
FORMS = dict(enumerate(("f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"), 6))

DAMAGED_MAT = (OSError, ValueError, LookupError, StopIteration, OverflowError, struct.error, zlib.error, MemoryError)


def read_struct(file: Path, name: str, fields: Sequence[str]) -> dict[str, np.ndarray]:
    """The flat `fields` of the struct `name`: numbers (n,), or of a field of cells their texts, as objects.

    A cell that is no text is an empty one. Raises UserError where the file is damaged, too large, or lacks the struct
    or a field.
    """
    try:
        if file.stat().st_size > LARGEST_MAT:
            raise ValueError(f"more than {LARGEST_MAT >> 20} MB")
        data = inflated(file.read_bytes(), LARGEST_MAT)
        found = _struct(data, name, fields)
    except DAMAGED_MAT as error:
        reason = one_line(error)[:120]
        raise UserError(f"data.root: {file} is no sound MATLAB file ({reason}); fetch it again") from error
    if found is None:
        raise UserError(f"data.root: {file} holds no struct '{name}'; fetch it again")
    if missing := [field for field in fields if field not in found]:
        raise UserError(f"data.root: the struct '{name}' of {file} has no field '{missing[0]}'; fetch it again")
    return found


def read_array(data: bytes, name: str) -> np.ndarray:
    """The numbers of the variable `name` of a MAT-file that is `inflated`, of its shape, as small as they are stored.

    Raises KeyError, which lists the names that are there, and else one of `DAMAGED_MAT`.
    """
    order, names = _order(data), []
    for form, sides, its_name, parts in _variables(data, order):
        names.append(its_name.decode("latin1"))
        if names[-1] == name:
            if form & ~IMAGINARY not in FORMS:
                raise ValueError(f"'{name}' is no array of numbers")
            if form & IMAGINARY:
                raise ValueError(f"'{name}' holds complex128, not numbers")
            return _numbers(sides, parts, order).reshape(sides, order="F")
    raise KeyError(*names)


def _struct(data: bytes, name: str, wanted: Sequence[str]) -> dict[str, np.ndarray] | None:
    """The wanted fields of the first struct of that name, or None. Raises one of `DAMAGED_MAT`."""
    order = _order(data)
    for form, sides, its_name, parts in _variables(data, order):
        if (form, its_name, math.prod(sides)) == (STRUCT, name.encode(), 1):
            (width,) = struct.unpack(f"{order}i", next(parts)[1])
            names = bytes(next(parts)[1])
            fields = [names[i : i + width].split(b"\0")[0].decode("latin1") for i in range(0, len(names), width)]
            of_fields = zip(fields, (part for _, part in parts), strict=True)
            return {field: _values(part, order) for field, part in of_fields if field in wanted}
    return None


def _order(data: bytes) -> str:
    return "<" if data[126:128] == b"IM" else ">"


def _variables(data: bytes, order: str) -> Iterator[tuple[int, tuple[int, ...], bytes, Iterator]]:
    """Every variable of a MAT-file, in the parts that `_matrix` returns."""
    for kind, content in _elements(memoryview(data)[HEADER:], order):
        if kind == MATRIX and len(content):
            yield _matrix(content, order)


def _matrix(content: memoryview, order: str) -> tuple[int, tuple[int, ...], bytes, Iterator[tuple[int, memoryview]]]:
    """A matrix' form, sides and name, and the elements that follow."""
    parts = _elements(content, order)
    flags, sides, name = (next(parts, (0, b""))[1] for _ in range(3))
    if len(flags) != 8 or not 8 <= len(sides) <= 4 * MOST_SIDES:
        raise ValueError("a matrix without dimensions")
    shape = struct.unpack(f"{order}{len(sides) // 4}i", sides)
    if min(shape) < 0:
        raise ValueError(f"a matrix of {shape}")
    return struct.unpack(f"{order}2I", flags)[0] & (0xFF | IMAGINARY), shape, bytes(name), parts


def _values(content: memoryview, order: str) -> np.ndarray:
    """A field's numbers in the order of memory, or its texts as objects."""
    if len(content) == 0:
        return np.zeros(0)
    form, sides, _, parts = _matrix(content, order)
    if form == CELLS:
        texts = [_text(part, order) for _, part in parts]
        if len(texts) != math.prod(sides):
            raise ValueError("cells are missing")
        return np.array(texts, object)
    if form == CHARACTERS:
        return np.array([_text(content, order)])
    if form not in FORMS:
        raise ValueError("a field is neither numbers nor cells")
    return _numbers(sides, parts, order).astype(FORMS[form])


def _numbers(sides: tuple[int, ...], parts: Iterator[tuple[int, memoryview]], order: Any) -> np.ndarray:
    kind, values = next(parts)
    numbers = np.frombuffer(values, np.dtype(KINDS[kind]).newbyteorder(order))
    if len(numbers) != math.prod(sides):
        raise ValueError("numbers are missing")
    return numbers


def _text(content: memoryview, order: str) -> str:
    """The text of a cell; of one that is no row of characters, an empty one."""
    if len(content) == 0:
        return ""
    form, sides, _, parts = _matrix(content, order)
    if form != CHARACTERS or math.prod(sides[:-1]) != 1:
        return ""
    kind, values = next(parts, (UTF8, b""))
    wide = "utf-16-le" if order == "<" else "utf-16-be"
    return bytes(values).decode({UINT16: wide, UTF16: wide, UTF8: "utf-8"}.get(kind, "latin1"))


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """The types and contents of the elements that follow each other in `data`. Raises ValueError, struct.error."""
    at = 0
    while at < len(data):
        (kind,) = struct.unpack_from(f"{order}I", data, at)
        if length := kind >> 16:  # up to four bytes stand in the tag itself
            kind, start, end = kind & 0xFFFF, at + 4, at + 8
        else:
            (length,) = struct.unpack_from(f"{order}I", data, at + 4)
            start, end = at + 8, at + 8 + length + -length % 8
        if start + length > min(end, len(data)):
            raise ValueError("cut off")
        yield kind, data[start : start + length]
        at = end


def inflated(data: bytes, most: int) -> bytes:
    """A MAT-file (version 5 to 7) with its compressed elements unpacked.

    Raises ValueError for what is none, cut off, or more than `most` bytes.
    """
    if len(data) < HEADER or data[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
        raise ValueError("no MAT-file of version 5 to 7, or cut off; Matlab writes one with save -v7")
    parts, room, at = [data[:HEADER]], most, HEADER
    while at < len(data):
        kind, length = struct.unpack_from("<2I" if data[126:128] == b"IM" else ">2I", data, at)
        element, at = data[at : at + 8 + length], at + 8 + length
        if at > len(data):
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
    return b"".join(parts)
