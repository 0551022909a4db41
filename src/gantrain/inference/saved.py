"""Files of one tensor, a row for each thing saved: latents, styles of photos, directions. They may come from anyone."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gantrain.errors import UserError
from gantrain.files import replacing

LARGEST = 256 * 2**20  # bytes of a file: a million latents of 64 numbers

Metadata = Mapping[str, str]


def save_rows(key: str, what: str, rows: Tensor, file: Path, metadata: Metadata) -> None:
    """Write `rows` as safetensors under `key`. Raises OSError, and UserError for too many."""
    if rows.numel() * rows.element_size() > LARGEST:
        raise UserError(
            f"{file}: {len(rows):,} {what} are more than a file of {LARGEST // 2**20} MiB holds; save fewer"
        )
    with replacing(file) as temporary:
        temporary.write_bytes(save({key: rows.contiguous()}, metadata=dict(metadata)))


def refuse_other(file: Path, option: str, key: str) -> None:
    """Raise UserError where the file that `option` names is no .safetensors, or holds something else, such as the
    weights of a run."""
    if file.suffix != ".safetensors":
        other = file.with_suffix(".safetensors").name if file.name else "FILE.safetensors"
        raise UserError(f"{option} is {file}, but what is written is a .safetensors; name it {other}")
    if not file.is_file():
        return
    try:
        with safe_open(file, framework="pt") as opened:
            same = list(opened.keys()) == [key]
    except (SafetensorError, OSError):
        same = False
    if not same:
        raise UserError(f"{option}: {file} holds something else and would be lost; name another file")


def read_rows(
    key: str, what: str, word: str, check: Callable[[Path, Tensor, Metadata], None], way_out: str
) -> tuple[Tensor, list[int], Metadata]:
    """The rows that `FILE` or `FILE:0,3,5` names, their numbers in the file, and the file's metadata.

    `check` raises UserError for what is no good tensor of `what`. Raises UserError.
    """
    found = re.fullmatch(r"(.+):(\d+(?:,\d+)*)", word)
    file = Path(found[1] if found and not Path(word).exists() else word)
    name, _, stated = word.rpartition(":")
    if not found and not file.exists() and Path(name).is_file():
        raise UserError(f"{word}: '{stated}' names no rows; they are counted from 0, as in {name}:0,3,5")
    rows, metadata = _load(file, key, what, way_out)
    check(file, rows, metadata)
    if not torch.isfinite(rows).all():
        raise UserError(f"{file} holds numbers that are not finite; {way_out}")
    if file == Path(word):
        return rows, list(range(len(rows))), metadata
    chosen = [int(row) for row in found[2].split(",")]
    if max(chosen) >= len(rows):
        raise UserError(f"{word}: {file} has rows up to {len(rows) - 1}; they are counted from 0")
    return rows[chosen], chosen, metadata


def shown(key: str) -> str:
    """The name of a tensor as a terminal may show it, of a file that may come from anyone."""
    return key[:40] if key.isprintable() else repr(key[:40])


def _load(file: Path, key: str, what: str, way_out: str) -> tuple[Tensor, Metadata]:
    if not file.is_file():
        raise UserError(f"there is no file {file}; {way_out}")
    try:
        if (size := file.stat().st_size) > LARGEST:
            raise UserError(f"{file} has {size / 2**20:,.0f} MiB, at most {LARGEST // 2**20} are read; {way_out}")
        with safe_open(file, framework="pt") as opened:
            if (keys := list(opened.keys())) != [key]:
                held, more = ", ".join(map(shown, keys[:3])) or "nothing", ", ..." if len(keys) > 3 else ""
                raise UserError(f"{file} holds {held}{more} instead of {key} alone; {way_out}")
            return opened.get_tensor(key), opened.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise UserError(f"{file} is no file of {what}, or damaged ({error}); {way_out}") from error
