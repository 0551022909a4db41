"""Embeddings that somebody has computed, from a .npy, .npz or .safetensors file of any origin: bounded, no pickle."""

import io
import json
import math
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from gantrain.errors import UserError, one_line

SUFFIXES = (".npy", ".npz", ".safetensors")
LARGEST = 8 << 30  # bytes of a file, packed and not: 200,000 captions of 10,000 numbers
LARGEST_PATHS = 256 << 20  # bytes
WIDEST = 16_384  # numbers of an embedding
KEYS = ("embeddings", "paths")
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
# What damaged or hostile files make the readers raise.
DAMAGED = (
    *(OSError, ValueError, KeyError, TypeError, RuntimeError, EOFError, OverflowError, MemoryError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError, SafetensorError, NotImplementedError),
)


class Embeddings(NamedTuple):
    """`values` (n, k, d) float32 of k captions each; `paths` of the n pictures, or None where only their order says."""

    values: np.ndarray
    paths: list[str] | None


def read_embeddings(file: Path, key: str) -> Embeddings:
    """The embeddings (n, d) or (n, k, d) in a file; `key` names what was set to it. Raises UserError.

    A .npy holds them alone. A .npz also has the array `paths`, a .safetensors has in its metadata `paths`, a JSON list.
    """
    kind = file.suffix.lower()
    if kind not in SUFFIXES:
        pickled = "; pickles run code: scripts/convert_embeddings.py makes a .safetensors of one that you trust"
        raise UserError(f"{key}: {file} must end in {', '.join(SUFFIXES)}{pickled}")
    if not file.is_file():
        raise UserError(f"{key}: there is no file {file}")
    try:
        if file.stat().st_size > LARGEST:
            raise ValueError(f"it has more than {LARGEST >> 30} GB")
        values, paths = {".npy": from_npy, ".npz": from_npz, ".safetensors": from_safetensors}[kind](file)
        return checked(values, paths)
    except DAMAGED as error:
        raise UserError(f"{key}: cannot read {file} ({one_line(error)[:200]})") from error


def checked(values: np.ndarray, paths: list[str] | None) -> Embeddings:
    """Raises ValueError for what are no embeddings."""
    values = values[:, None] if values.ndim == 2 else values
    if values.ndim != 3 or 0 in values.shape:
        raise ValueError(
            f"its embeddings are {values.shape}, they must be (pictures, numbers) or (pictures, k, numbers)"
        )
    if values.shape[2] > WIDEST:
        raise ValueError(f"an embedding has {values.shape[2]:,} numbers, at most {WIDEST:,} are taken")
    if not np.isfinite(values).all():
        raise ValueError("it holds numbers that are not finite")
    if paths is not None and len(paths) != len(values):
        raise ValueError(f"it has {len(paths):,} paths and embeddings of {len(values):,} pictures")
    return Embeddings(values, paths)


def from_npy(file: Path) -> tuple[np.ndarray, None]:
    with file.open("rb") as stream:
        return numbers(stream, file.stat().st_size), None


def from_npz(file: Path) -> tuple[np.ndarray, list[str] | None]:
    found: dict[str, Any] = {}
    with zipfile.ZipFile(file) as archive:
        names = {Path(name).stem: name for name in archive.namelist() if name.endswith(".npy")}
        if KEYS[0] not in names:
            raise ValueError(f"it has no array 'embeddings', it holds {', '.join(names)[:100] or 'nothing'}")
        for name, most in zip(KEYS, (LARGEST, LARGEST_PATHS), strict=True):
            if name not in names:
                continue
            size = archive.getinfo(names[name]).file_size
            if size > most or size > 1100 * file.stat().st_size:
                raise ValueError(f"its array '{name}' is larger than {most >> 20} MB, or packed beyond measure")
            with archive.open(names[name]) as member:
                read = numbers if name == KEYS[0] else texts
                found[name] = read(io.BytesIO(member.read(size)), size)
    return found[KEYS[0]], found.get(KEYS[1])


def from_safetensors(file: Path) -> tuple[np.ndarray, list[str] | None]:
    with safe_open(file, framework="np") as opened:
        if KEYS[0] not in opened.keys():  # noqa: SIM118
            raise ValueError(f"it has no tensor 'embeddings', it holds {', '.join(opened.keys())[:100] or 'nothing'}")
        values = opened.get_tensor(KEYS[0])
        stated = (opened.metadata() or {}).get(KEYS[1])
    if values.dtype.kind != "f":
        raise ValueError(f"its embeddings are {values.dtype}, not numbers with a point")
    if stated is None:
        return values.astype(np.float32), None
    paths = json.loads(stated)
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise ValueError("its metadata 'paths' is no JSON list of texts")
    return values.astype(np.float32), paths


def numbers(stream: io.BufferedIOBase, size: int) -> np.ndarray:
    """An array of numbers as float32."""
    array = array_of(stream, size, "f")
    return array.astype(np.float32)


def texts(stream: io.BufferedIOBase, size: int) -> list[str]:
    """An array of texts."""
    array = array_of(stream, size, "U")
    if array.ndim != 1:
        raise ValueError(f"its paths are {array.shape}, not a list")
    return array.tolist()


def array_of(stream: io.BufferedIOBase, size: int, kind: str) -> np.ndarray:
    """The array of a .npy of `size` bytes whose numbers are of a kind. Raises what DAMAGED lists."""
    shape, fortran, dtype = HEADERS[np.lib.format.read_magic(stream)](stream)
    if dtype.hasobject or dtype.kind != kind:
        wanted = "numbers with a point, float32 for one" if kind == "f" else "texts"
        raise ValueError(f"it holds {dtype}, not {wanted}")
    if len(shape) > 3 or math.prod(shape) * dtype.itemsize > size:
        raise ValueError(f"its header promises {'x'.join(map(str, shape))} of {dtype}, it has {size:,} bytes")
    data = stream.read(math.prod(shape) * dtype.itemsize)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
