"""Latents: files of them, and the family that makes pictures of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gantrain.errors import UserError
from gantrain.inference.saved import Metadata, read_rows, save_rows
from gantrain.training.loading import load_trained

WAY_OUT = "`gantrain sample RUN --save-latents FILE` writes a good one"


def latent_family(
    folder: Path | str, plugins: Sequence[str] = (), best: bool = False, texts: bool = False
) -> tuple[Any, Any]:
    """A trained run's module that makes samples from latents, and its data, not opened. Raises UserError.

    One that makes them of texts as well is refused unless `texts` are there.
    """
    trained = load_trained(folder, plugins, best)
    if "sample" not in trained.verbs:
        raise UserError(f"{folder} makes no pictures from noise; see `gantrain --help` for what it can do")
    for name, method in (("latents", trained.module.latents), ("generate", trained.module.generate)):
        if method is None:
            raise UserError(f"sample: {type(trained.module).__name__} has no {name}, as LatentGAN has; give it one")
    if trained.module.takes_texts and not texts:
        raise UserError(
            f"{folder} makes pictures of texts; use `gantrain sample` or `gantrain interpolate` with --text"
        )
    return trained.module, trained.data


def save_latents(z: Tensor, file: Path) -> None:
    """Write `z` (n, z_dim) as safetensors, key `z`. Raises OSError, and UserError for too many."""
    save_rows("z", "latents", z, file, {"z_dim": str(z.shape[1])})


def read_latents(word: str, z_dim: int) -> tuple[Tensor, list[int]]:
    """The latents (n, z_dim) that `FILE` or `FILE:0,3,5` names, and their rows in the file. Raises UserError."""

    def check(file: Path, z: Tensor, metadata: Metadata) -> None:
        stated = metadata.get("z_dim")
        if z.dtype != torch.float32 or z.dim() != 2 or not len(z) or stated != str(z.shape[1]):
            raise UserError(
                f"{file} holds {tuple(z.shape)} {str(z.dtype).removeprefix('torch.')} with z_dim {stated}, not float32 "
                f"latents (n, z_dim); {WAY_OUT}"
            )
        if z.shape[1] != z_dim:
            raise UserError(
                f"{file}: its latents have {z.shape[1]} numbers, this run's generator takes {z_dim}; "
                f"save some from this run with `gantrain sample RUN --save-latents FILE`"
            )

    z, rows, _ = read_rows("z", "latents", word, check, WAY_OUT)
    return z, rows
