"""Latents: walks between them, files of them, and the family that makes pictures of them."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gantrain.errors import UserError
from gantrain.prepare import build_data
from gantrain.runs import load_trained, replacing

LARGEST = 256 * 2**20  # bytes of a file of latents: a million of 64 numbers


def add_plugins(parser: argparse.ArgumentParser) -> None:
    """`--plugins a,b`: the modules that a run may take code from."""
    parser.add_argument(
        "--plugins",
        type=lambda text: text.split(","),
        default=[],
        metavar="A,B",
        help="modules of your own that the run names; they are code that runs",
    )


def latent_family(folder: Path | str, plugins: Sequence[str] = (), best: bool = False) -> tuple[Any, Any]:
    """A trained run's module that makes samples from latents, and its data, not opened. Raises UserError."""
    trained = load_trained(folder, plugins, best)
    if not hasattr(trained.module, "generate"):
        raise UserError(f"{folder} makes no pictures from noise; see `gantrain --help` for what it can do")
    return trained.module, build_data(trained.stage)


# ---- walks -----------------------------------------------------------------------------------------------------------


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Spherical interpolation (White 2016, arXiv 1609.04468): from `a` (z_dim,) at t = 0 to `b` at t = 1, (t, z_dim).

    Normal latents lie near a sphere; a straight line leaves it for lengths that the generator never saw. The direction
    turns at constant speed, the length goes linearly. Opposite vectors turn through some fixed third direction.
    """
    start, end, t = a.double(), b.double(), t.double().unsqueeze(1)
    lengths = start.norm(), end.norm()
    u, v = _direction(start), _direction(end)
    angle = 2 * torch.atan2((u - v).norm(), (u + v).norm())  # exact near 0 and pi, where the arc cosine is not
    aside = v - (u @ v) * u
    aside = _direction(aside) if aside.norm() > 1e-9 else _perpendicular(u)
    turned = torch.cos(t * angle) * u + torch.sin(t * angle) * aside
    return (turned * torch.lerp(*lengths, t)).to(a.dtype)


def walk(stops: Tensor, steps: int, closed: bool = False) -> Tensor:
    """A walk through `stops` (n, z_dim): latents (legs, steps, z_dim).

    Open: n - 1 legs, each with both its ends. Closed: n legs back to the start, each without its end, which is the
    start of the next: shown one after the other no picture comes twice.
    """
    t = torch.arange(steps) / steps if closed else torch.linspace(0, 1, steps)
    ends = stops.roll(-1, 0) if closed else stops[1:]
    return torch.stack([slerp(a, b, t) for a, b in zip(stops, ends, strict=False)])


def _direction(vector: Tensor) -> Tensor:
    return vector / vector.norm().clamp_min(torch.finfo(vector.dtype).tiny)


def _perpendicular(u: Tensor) -> Tensor:
    """Some unit vector at a right angle to the unit vector `u`; zero in one dimension, where there is none."""
    axis = torch.zeros_like(u)
    axis[u.abs().argmin()] = 1
    return _direction(axis - (axis @ u) * u)


# ---- files -----------------------------------------------------------------------------------------------------------


def save_latents(z: Tensor, file: Path) -> None:
    """Write `z` (n, z_dim) as safetensors, key `z`. Raises UserError where that is impossible."""
    if z.numel() * z.element_size() > LARGEST:
        raise UserError(f"{file}: {len(z):,} latents are more than a file of {LARGEST // 2**20} MiB holds; save fewer")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            save_file({"z": z.contiguous()}, temporary, metadata={"z_dim": str(z.shape[1])})
    except OSError as error:
        raise UserError(f"cannot write {file} ({error.strerror or error}); name another file") from error


def read_latents(word: str, z_dim: int) -> tuple[Tensor, list[int]]:
    """The latents (n, z_dim) that `FILE` or `FILE:0,3,5` names, and their rows in the file. Raises UserError.

    The file may come from anyone: its size, type, width and numbers are checked before they are used.
    """
    found = re.fullmatch(r"(.+):(\d+(?:,\d+)*)", word)
    file = Path(found[1] if found and not Path(word).exists() else word)
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
            if list(opened.keys()) != ["z"]:
                raise UserError(f"{file} holds {', '.join(opened.keys()) or 'nothing'} instead of z alone; {way_out}")
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
