"""Optimizers as a device wants them: fused kernels, and rates and step counts that live where the weights are."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from gantrain.run.checkpoint import FLAGS


def optimizer_for(make: Callable[..., Optimizer], weights: Sequence[nn.Parameter], captured: bool) -> Optimizer:
    """What `make` makes for the weights: fused where its class can be, and without host numbers if `captured`.

    `make` is a class with some of its options; what they say of how a step is computed is kept.
    """
    known = inspect.signature(getattr(make, "func", Optimizer)).parameters
    stated = getattr(make, "keywords", {})
    options: dict[str, Any] = {}
    if "fused" in known and not stated.keys() & set(FLAGS):
        options["fused"] = True  # one kernel for all weights: less than half the time, on a CPU too
    if captured and "capturable" in known and any(weight.is_cuda for weight in weights):
        options["capturable"] = True
    optimizer = make(weights, **options)
    if captured:
        for group in optimizer.param_groups:
            group["lr"] = torch.tensor(float(group["lr"]), device=group["params"][0].device)
    return optimizer


def why_not_captured(optimizer: Optimizer) -> str | None:
    """The reason why a step of this optimizer cannot be replayed, or None."""
    for group in optimizer.param_groups:
        if not (group.get("fused") or group.get("capturable")):
            return f"{type(optimizer).__name__} has no step that runs on the GPU alone"
    return None
