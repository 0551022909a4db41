"""TorchScript files, which are code: one runs only where the user has named it, on this machine, once."""

import warnings
from pathlib import Path
from typing import Any

import torch

from gantrain.errors import UserError, first_line
from gantrain.files import TORCHSCRIPT, sha256
from gantrain.folders import cache_folder


def load(file: Path, key: str, ways: str = "write one with torch.jit.save") -> torch.jit.ScriptModule:
    """A trusted file's network, on the CPU; `key` is the config key that names it, `ways` what else a user can do.

    Raises UserError where nobody has named the file yet, or where it is no TorchScript.
    """
    if not _mark(file).exists():
        raise UserError(
            f"{key}: {file} is TorchScript, which is code, and you have not named it on this machine before, only the "
            f"run has; if you trust it, name it once: plugins=[{file}] to resume the run, --plugins {file} elsewhere"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch deprecates the format, not its files
            return torch.jit.load(str(file), map_location="cpu")
    except (RuntimeError, ValueError, OSError) as error:
        told = first_line(error)
        fault = "is no TorchScript file, or damaged"
        if "Unknown builtin op" in told:
            fault = f"comes from another release of torch, and torch {torch.__version__} cannot run it"
        raise UserError(f"{key}: {file} {fault} ({told}); {ways}") from error


def trust(file: Path) -> None:
    """Let a file that the user has named run from now on, wherever it lies: it is known by its sha256."""
    mark = _mark(file)
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError as error:
        raise UserError(
            f"GANTRAIN_CACHE: cannot write {mark.parent} ({error.strerror}), where trusted files are remembered; "
            f"let this variable name another folder"
        ) from error


def trust_backbone(name: Any) -> None:
    """Trust the file that `evaluation.backbone` or `judge` names, if it names one."""
    if isinstance(name, str) and name.endswith(TORCHSCRIPT) and Path(name).expanduser().is_file():
        trust(Path(name).expanduser())


def _mark(file: Path) -> Path:
    # Never data.cache_dir: a stranger's config could name one that holds marks.
    return cache_folder() / "trusted" / sha256(file)
