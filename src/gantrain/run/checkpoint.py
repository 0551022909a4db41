"""One checkpoint file: what it holds, read as what it may be: a stranger's, or cut off."""

import pickle
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch

UNREADABLE = (
    *(OSError, RuntimeError, ValueError, KeyError, EOFError),
    *(pickle.UnpicklingError, zipfile.BadZipFile, zlib.error),
)
# What a checkpoint holds; `networks` and the like by the names of networks and players.
CHECKPOINT = {
    **dict.fromkeys(("networks", "ema", "optimizers", "schedules", "scaler", "turns", "statistics"), dict),
    "iteration": int,
    "images_seen": int,
    "rng": list,
    "meters": list,
}


def read_checkpoint(file: Path) -> dict[str, Any]:
    """A checkpoint's tensors and plain types, on the CPU. Raises one of `UNREADABLE`."""
    with zipfile.ZipFile(file) as archive:  # torch itself does not verify the checksums
        if (damaged := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"{damaged} is damaged")
    state = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or not all(isinstance(state.get(key), kind) for key, kind in CHECKPOINT.items()):
        raise ValueError("it is no checkpoint of gantrain")
    return state
