"""What several processes of a run agree on: means of gradients and scalars, the largest of integers."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


def processes_of(trainer: Mapping[str, Any]) -> int:
    """How many processes a config asks for, on all machines."""
    return trainer["devices"] * trainer.get("num_nodes", 1)


def world_size() -> int:
    """How many processes train this run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def average_gradients(weights: Sequence[nn.Parameter], loss: Tensor, world: int) -> Tensor:
    """Replace the gradients by their means over all processes; returns the loss's mean.

    The loss travels in the same flat tensor, so that all processes agree whether it is finite.
    """
    loss = loss.detach()
    if world == 1:
        return loss
    gradients = [w.grad for w in weights if w.grad is not None]
    flat = torch.cat([loss.reshape(1).to(gradients[0].dtype), *(g.flatten() for g in gradients)])
    dist.all_reduce(flat)
    flat /= world
    for gradient, mean in zip(gradients, flat[1:].split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))
    return flat[0].to(loss.dtype)


def average_scalars(value: Tensor, world: int) -> Tensor:
    """The mean of a scalar, or of each of several, over all processes."""
    value = value.detach().clone()
    if world > 1:
        dist.all_reduce(value)
        value /= world
    return value


def largest(values: list[int], device: torch.device, world: int) -> list[int]:
    """The largest of the processes' integers, place by place: how they agree on what to do next."""
    if world == 1:
        return values
    shared = torch.tensor(values, device=device)
    dist.all_reduce(shared, dist.ReduceOp.MAX)
    return shared.tolist()


def gather(value: Any, world: int) -> list[Any]:
    """Every process' value, in the order of their ranks."""
    if world == 1:
        return [value]
    values: list[Any] = [None] * world
    dist.all_gather_object(values, value)
    return values
