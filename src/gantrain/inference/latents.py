"""Latents: files of them, and the family that makes pictures of them."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gantrain.errors import UserError
from gantrain.files import replacing
from gantrain.training.loading import load_trained

LARGEST = 256 * 2**20  # bytes of a file of latents: a million of 64 numbers


def latent_family(folder: Path | str, plugins: Sequence[str] = (), best: bool = False) -> tuple[Any, Any]:
    """A trained run's module that makes samples from latents, and its data, not opened. Raises UserError."""
    trained = load_trained(folder, plugins, best)
    if "sample" not in trained.module.verbs:
        raise UserError(f"{folder} makes no pictures from noise; see `gantrain --help` for what it can do")
    return trained.module, trained.data


def save_latents(z: Tensor, file: Path) -> None:
    """Write `z` (n, z_dim) as safetensors, key `z`. Raises OSError, and UserError for too many."""
    if z.numel() * z.element_size() > LARGEST:
        raise UserError(f"{file}: {len(z):,} latents are more than a file of {LARGEST // 2**20} MiB holds; save fewer")
    with replacing(file) as temporary:
        temporary.write_bytes(save({"z": z.contiguous()}, metadata={"z_dim": str(z.shape[1])}))


def read_latents(word: str, z_dim: int) -> tuple[Tensor, list[int]]:
    """The latents (n, z_dim) that `FILE` or `FILE:0,3,5` names, and their rows in the file. Raises UserError.

    The file may come from anyone: its size, type, width and numbers are checked before they are used.
    """
    found = re.fullmatch(r"(.+):(\d+(?:,\d+)*)", word)
    file = Path(found[1] if found and not Path(word).exists() else word)
    name, _, stated = word.rpartition(":")
    if not found and not file.exists() and Path(name).is_file():
        raise UserError(f"{word}: '{stated}' names no rows; they are counted from 0, as in {name}:0,3,5")
    z = _load(file, z_dim)
    if file == Path(word):
        return z, list(range(len(z)))
    rows = [int(row) for row in found[2].split(",")]
    if max(rows) >= len(z):
        raise UserError(f"{word}: {file} has {len(z)} latents, the last is {len(z) - 1}; name rows from 0 on")
    return z[rows], rows


def _load(file: Path, z_dim: int) -> Tensor:
    way_out = "`gantrain sample RUN --save-latents FILE` writes a good one"
    if not file.is_file():
        raise UserError(f"there is no file {file}; {way_out}")
    try:
        if (size := file.stat().st_size) > LARGEST:
            raise UserError(f"{file} has {size / 2**20:,.0f} MiB, at most {LARGEST // 2**20} are read; {way_out}")
        with safe_open(file, framework="pt") as opened:
            if (keys := list(opened.keys())) != ["z"]:
                held, more = ", ".join(keys[:3]) or "nothing", ", ..." if len(keys) > 3 else ""
                raise UserError(f"{file} holds {held}{more} instead of z alone; {way_out}")
            z = opened.get_tensor("z")
            stated = (opened.metadata() or {}).get("z_dim")
    except (OSError, SafetensorError) as error:
        raise UserError(f"{file} is no file of latents, or damaged ({error}); {way_out}") from error
    if z.dtype != torch.float32 or z.dim() != 2 or not len(z) or stated != str(z.shape[1]):
        raise UserError(
            f"{file} holds {tuple(z.shape)} {str(z.dtype).removeprefix('torch.')} with z_dim {stated}, not float32 "
            f"latents (n, z_dim); {way_out}"
        )
    if z.shape[1] != z_dim:
        raise UserError(
            f"{file}: its latents have {z.shape[1]} numbers, this run's generator takes {z_dim}; "
            f"save some from this run with `gantrain sample RUN --save-latents FILE`"
        )
    if not torch.isfinite(z).all():
        raise UserError(f"{file} holds numbers that are not finite; {way_out}")
    return z
