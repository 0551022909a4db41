"""Using networks without changing them: eval mode, no gradients, and everything restored afterwards."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gantrain import rng


@contextlib.contextmanager
def for_inference(network: nn.Module) -> Iterator[nn.Module]:
    """The network in eval mode and without gradients; on exit every module is in its earlier mode again."""
    modes = {part: part.training for part in network.modules()}
    network.eval()
    try:
        with torch.no_grad():
            yield network
    finally:
        for part, mode in modes.items():
            part.training = mode


def outputs(network: nn.Module, *inputs: Tensor, device: torch.device, chunk: int = 250) -> Tensor:
    """The network's outputs for any number of inputs, `chunk` at a time in eval mode, in float32 on the CPU."""
    with for_inference(network):
        parts = zip(*(value.split(chunk) for value in inputs), strict=True)
        return torch.cat([network(*(value.to(device) for value in part)).float().cpu() for part in parts])


@contextlib.contextmanager
def undisturbed(module: nn.Module, device: torch.device) -> Iterator[None]:
    """Use a module in eval mode and without TF32, which would round measurements to 10 bits.

    On exit the mode of every module, the random generators and TF32 are as before.
    """
    generators = rng.get_state(device)
    kernels: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn)
    allowed = [kernel.allow_tf32 for kernel in kernels]
    try:
        for kernel in kernels:
            kernel.allow_tf32 = False
        with for_inference(module):
            yield
    finally:
        for kernel, before in zip(kernels, allowed, strict=True):
            kernel.allow_tf32 = before
        rng.set_state(generators, device)
