"""Weights of networks from local files of any origin: plain tensors, bounded in size, known by their checksum."""

import pickle
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from gantrain.errors import UserError, first_line

LARGEST = 2 << 30  # bytes of a file; a whole VGG19 has 575 MB
# What torch and safetensors raise for files that are cut off, damaged or hostile.
DAMAGED = (
    *(OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, EOFError),
    *(pickle.UnpicklingError, zipfile.BadZipFile, SafetensorError),
)


def read_state(file: Path, key: str) -> dict[str, Tensor]:
    """The tensors by name in a .safetensors file or a state dict saved by PyTorch, all finite.

    `key` is the config key that names the file. Raises UserError.
    """
    try:
        if (size := file.stat().st_size) > LARGEST:
            raise ValueError(f"it has {size / 2**30:.1f} GB, at most {LARGEST >> 30} are read")
        safe = file.suffix == ".safetensors"
        state = load_file(file) if safe else torch.load(file, map_location="cpu", weights_only=True)
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
