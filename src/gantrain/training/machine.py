"""What of this machine a run can use."""

from collections.abc import Mapping
from typing import Any

import torch

from gantrain.errors import UserError


def accelerator(trainer: Mapping[str, Any]) -> str:
    """`cuda` or `cpu`: `auto` and `gpu` would mean Apple's GPU too, whose generators a checkpoint cannot hold."""
    return "cuda" if torch.cuda.is_available() and trainer["accelerator"] != "cpu" else "cpu"


def check_machine(trainer: Mapping[str, Any]) -> None:
    """Raise UserError for an accelerator, number of devices or precision that this machine lacks."""
    wanted, devices, precision = trainer.get("accelerator"), trainer["devices"], trainer["precision"]
    if wanted not in ("auto", "cpu", "gpu"):
        raise UserError(f"trainer.accelerator is '{wanted}', it must be auto, cpu or gpu")
    if wanted == "gpu" and not torch.cuda.is_available():
        raise UserError("trainer.accelerator=gpu: this machine has no GPU that PyTorch can use; use cpu or auto")
    on_gpu = accelerator(trainer) == "cuda"
    if on_gpu and devices > torch.cuda.device_count():
        raise UserError(f"trainer.devices={devices}: this machine has {torch.cuda.device_count()} GPUs")
    if precision == "16-mixed" and not on_gpu:
        raise UserError("trainer.precision=16-mixed needs a GPU; use bf16-mixed or 32-true here")
