"""A cache on disk for tensors that take long to compute, in files named after their inputs.

These folders may be deleted at any time. Several processes may make the same file: each writes a temporary file, which
then replaces the other in one step.
"""

import contextlib
import hashlib
import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gantrain.data.module import GANDataModule
from gantrain.files import replacing
from gantrain.folders import cache_folder

MOST_BYTES = 8 << 30  # of a folder; Inception's features of 200,000 pictures are 2.5 GB
CPU = torch.device("cpu")
Tensors = dict[str, Tensor]


def kept(
    data: GANDataModule, folder: str, content: Any, make: Callable[[], Tensors], device: torch.device = CPU
) -> Tensors:
    """The tensors that `make` gives, on `device`; read from the file named after `content`, if it is there and whole.

    The bits are the same either way, provided that `content` holds everything on which they depend.
    """
    key = hashlib.sha256(repr(content).encode()).hexdigest()[:16]
    file = (data.cache_dir or cache_folder()) / folder / f"{key}.safetensors"
    if (found := read(file)) is not None:
        return {name: tensor.to(device) for name, tensor in found.items()}
    made = {name: tensor.contiguous() for name, tensor in make().items()}  # in order as a file gives them back
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            save_file(made, temporary, {"crc32": checksum(made)})
        make_room(file.parent)
    except (OSError, SafetensorError) as error:
        print(f"warning: {file.parent} cannot be written ({error}); it is made anew each time", file=sys.stderr)
    return made


def read(file: Path) -> Tensors | None:
    """What a file holds, on the CPU; None where it is missing or damaged. What is read counts as used."""
    try:
        with safe_open(file, "pt") as stream:
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118, it is no dict
            whole = (stream.metadata() or {}).get("crc32") == checksum(tensors)
        os.utime(file)
    except (OSError, SafetensorError, RuntimeError, ValueError):  # torch's, of a file that another process removes
        return None
    return tensors if whole else None


def checksum(tensors: Tensors) -> str:
    """A CRC-32 of names, types, shapes and values."""
    crc = 0
    for name, tensor in sorted(tensors.items()):
        crc = zlib.crc32(repr((name, tensor.dtype, tuple(tensor.shape))).encode(), crc)
        values: Any = tensor.cpu().numpy()
        crc = zlib.crc32(values, crc)
    return f"{crc:08x}"


def make_room(folder: Path) -> None:
    """Remove the files, also left temporary ones, that were used longest ago, until the others have MOST_BYTES."""
    found = []
    for file in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process makes room as well
            found.append((file.stat().st_mtime_ns, file.stat().st_size, file))
    total = 0
    for _, size, file in sorted(found, reverse=True):
        total += size
        if total > MOST_BYTES:
            file.unlink(missing_ok=True)
