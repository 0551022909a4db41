"""Files of styles and of directions in their space, both (n, layers, w_dim); they may come from anyone."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gantrain.errors import UserError
from gantrain.inference.saved import Metadata, read_rows, save_rows

LONGEST_NAME = 40  # letters of a direction's name


def save_styles(w: Tensor, file: Path, metadata: Metadata | None = None) -> None:
    """Write styles (n, layers, w_dim) as safetensors, key `w`. Raises OSError and UserError."""
    save_rows("w", "styles", w, file, metadata or {})


def read_styles(word: str, module: Any) -> tuple[Tensor, list[int], Metadata]:
    """The styles (n, layers, w_dim) that `FILE` or `FILE:0,3,5` names, which must suit the run's `module`, their rows
    in the file and its metadata. Raises UserError."""
    way_out = "`gantrain project RUN PHOTO --out D` writes a good one"
    return read_rows("w", "styles", word, suits(module, way_out), way_out)


def save_directions(directions: Tensor, names: Sequence[str], file: Path) -> None:
    """Write directions (n, layers, w_dim) as safetensors, key `directions`. Raises OSError and UserError."""
    save_rows("directions", "directions", directions, file, {"names": json.dumps(list(names))})


def read_directions(word: str, module: Any) -> tuple[Tensor, list[str]]:
    """The directions (n, layers, w_dim) that `FILE` or `FILE:0,3,5` names, and what they are called. Raises UserError.

    Where the file does not say names they are called by their rows.
    """
    way_out = "`gantrain edit RUN --save FILE` writes a good one"
    directions, rows, metadata = read_rows("directions", "directions", word, suits(module, way_out), way_out)
    try:
        names = json.loads(metadata.get("names", "[]"))
        return directions, [" ".join(str(names[row]).split())[:LONGEST_NAME] for row in rows]
    except (ValueError, LookupError, TypeError, RecursionError):
        return directions, [f"direction {row}" for row in rows]


def suits(module: Any, way_out: str) -> Callable[[Path, Tensor, Metadata], None]:
    """What raises UserError for a tensor that is not of styles (n, layers, w_dim) as the run's `module` takes them."""

    def check(file: Path, rows: Tensor, metadata: Metadata) -> None:
        shape = module.layers, module.w_dim
        if rows.dtype != torch.float32 or rows.dim() != 3 or not len(rows):
            kind = str(rows.dtype).removeprefix("torch.")
            raise UserError(f"{file} holds {tuple(rows.shape)} {kind}, not float32 (n, layers, numbers); {way_out}")
        if rows.shape[1:] != shape:
            raise UserError(
                f"{file}: it is of {rows.shape[1]} layers of {rows.shape[2]} numbers, and this run's generator has "
                f"{shape[0]} of {shape[1]}; name a file that was made with this run"
            )

    return check
