"""Weights of networks from local files of any origin: plain tensors, bounded in size, known by their checksum."""

import pickle
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from gantrain.errors import UserError, first_line

LARGEST = 2 << 30  # bytes of a file; a whole VGG19 has 575 MB
# What torch and safetensors raise for files that are cut off, damaged or hostile.
DAMAGED = (
    *(OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, EOFError, AssertionError),
    *(pickle.UnpicklingError, zipfile.BadZipFile, zlib.error, struct.error, SafetensorError),
)


def load_plain(file: Path, old: bool = False) -> Any:
    """What torch has saved in a file, tensors and plain types, on the CPU, bounded by its size. Raises `DAMAGED`.

    With `old` also what torch wrote before 2020, which is no ZIP file.
    """
    if not file.is_file():  # a pipe would never end
        raise ValueError("it is no file")
    size = file.stat().st_size
    if not old or zipfile.is_zipfile(file):
        refuse_odd_members(file, size)
    state = torch.load(file, map_location="cpu", weights_only=True)
    refuse_odd_tensors(state, size)
    return state


def refuse_odd_members(file: Path, most: int) -> None:
    """Raise BadZipFile, zlib.error or ValueError for members that are packed, damaged, or more than `most` bytes."""
    with zipfile.ZipFile(file) as archive:  # torch itself does not verify the checksums
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise zipfile.BadZipFile("a member is packed, which torch never does")
        if sum(member.file_size for member in archive.infolist()) > most:
            raise zipfile.BadZipFile("its members are larger than the file")
        if (damaged := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"{damaged} is damaged")


def refuse_odd_tensors(state: Any, most: int) -> None:
    """Raise ValueError for tensors that are sparse or the like, or larger than `most` bytes, by strides of 0."""
    waiting, seen = [state], set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, Tensor):
            if part.layout != torch.strided or part.is_quantized or part.is_nested or part.device.type != "cpu":
                raise ValueError("it holds a tensor of another kind")
            if part.numel() * part.element_size() > most:
                raise ValueError("it holds a tensor larger than the file")
        elif isinstance(part, (Mapping, list, tuple)) and id(part) not in seen:  # a list may hold itself
            seen.add(id(part))
            inner = part.values() if isinstance(part, Mapping) else part
            waiting += [value for value in inner if not isinstance(value, (int, float, str))]


def read_state(file: Path, key: str) -> dict[str, Tensor]:
    """The tensors by name in a .safetensors file or a state dict saved by PyTorch, all finite.

    `key` is the config key that names the file. Raises UserError.
    """
    try:
        if (size := file.stat().st_size) > LARGEST:
            raise ValueError(f"it has {size / 2**30:.1f} GB, at most {LARGEST >> 30} are read")
        safe = file.suffix == ".safetensors"
        state = load_file(file) if safe else load_plain(file, old=True)
        if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
            raise ValueError("it holds something else than tensors by name")
    except DAMAGED as error:
        # Of what torch refuses to unpickle it tells in a page, or by a number.
        pickled = isinstance(error, (pickle.UnpicklingError, LookupError))
        reason = "it holds other objects than tensors" if pickled else first_line(error)
        raise UserError(
            f"{key}: {file} is no file of weights, or damaged ({reason}); it must be safetensors or a state dict saved "
            f"by PyTorch"
        ) from error
    if not all(torch.isfinite(value).all() for value in state.values() if value.is_floating_point()):
        raise UserError(f"{key}: {file} holds numbers that are not finite; fetch it again")
    return state
