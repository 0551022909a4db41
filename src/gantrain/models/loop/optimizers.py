"""Optimizers as a device wants them: fused kernels, and rates and step counts that live where the weights are."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from gantrain.run.checkpoint import FLAGS


def optimizer_for(make: Callable[..., Optimizer], weights: Sequence[nn.Parameter], captured: bool) -> Optimizer:
    """The optimizer that `make` gives for the weights: fused where its class can be, and if `captured` with its numbers
    on the device.

    `make` is an optimizer class with some options set; options on how a step is computed (`FLAGS`) stay as they are.
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


class Rates:
    """A player's schedule, run on a stand-in optimizer; its numbers are then copied to the real `optimizer`.

    The real one may hold its rate as a tensor on a GPU. This way rates are the same on every device, and the number of
    iterations alone restores a schedule.
    """

    def __init__(self, player: Any, optimizer: Optimizer):
        stand_in = player.optimizer([nn.Parameter(torch.zeros(1, 1))])
        stand_in._opt_called = True  # it never steps: torch would warn
        self.schedule, self.optimizer = player.schedule(stand_in), optimizer
        self.go_on(0)

    def go_on(self, iterations: int) -> None:
        """Advance by so many iterations, and copy every number to the optimizer, which may have been loaded."""
        for _ in range(iterations):
            self.schedule.step()
        self.told: list[dict[str, Any]] = [{} for _ in self.optimizer.param_groups]
        self.tell()

    def step(self) -> None:
        self.schedule.step()
        self.tell()

    def tell(self) -> None:
        """Copy the numbers that have changed to the optimizer."""
        groups = zip(self.told, self.schedule.optimizer.param_groups, self.optimizer.param_groups, strict=True)
        for told, numbers, group in groups:
            for key in numbers.keys() & group.keys() - {"params", *FLAGS}:
                if told.get(key) != numbers[key]:
                    told[key] = numbers[key]
                    group[key] = group[key].fill_(numbers[key]) if torch.is_tensor(group[key]) else numbers[key]

    @property
    def only_rates(self) -> bool:
        """Whether it changes no momentum, which a recorded step would not read again."""
        return not getattr(self.schedule, "cycle_momentum", False)


def why_not_captured(optimizer: Optimizer) -> str | None:
    """The reason why a step of this optimizer cannot be replayed, or None."""
    for group in optimizer.param_groups:
        if not (group.get("fused") or group.get("capturable")):
            return f"{type(optimizer).__name__} has no step that runs on the GPU alone"
    return None
