"""The devices, memory and kernels of this machine, as a run uses them."""

import contextlib
import ctypes
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn

from gantrain.errors import UserError
from gantrain.models.base import GANModule
from gantrain.models.loop.capture import CudaGraphs, Recorder
from gantrain.models.loop.compiled import Compiled, check_compiler
from gantrain.parallel import processes_of

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
MIB = 2**20


def accelerator(trainer: Mapping[str, Any]) -> str:
    """`cuda` or `cpu`: `auto` and `gpu` would mean Apple's GPU too, whose generators a checkpoint cannot hold."""
    return "cuda" if torch.cuda.is_available() and trainer["accelerator"] != "cpu" else "cpu"


def described(trainer: Mapping[str, Any]) -> str:
    """The device that a run trains on, in words."""
    if accelerator(trainer) == "cuda":
        return torch.cuda.get_device_name()
    return f"cpu ({trainer.get('threads') or torch.get_num_threads()} threads)"


def check_machine(trainer: Mapping[str, Any]) -> None:
    """Raise UserError for a GPU, number of devices or precision that this machine lacks."""
    devices, precision = trainer["devices"], trainer["precision"]
    if trainer["accelerator"] == "gpu" and not torch.cuda.is_available():
        raise UserError("trainer.accelerator=gpu: this machine has no GPU that PyTorch can use; use cpu or auto")
    on_gpu = accelerator(trainer) == "cuda"
    if on_gpu and devices > torch.cuda.device_count():
        raise UserError(f"trainer.devices={devices}: this machine has {torch.cuda.device_count()} GPUs")
    if precision == "16-mixed" and not on_gpu:
        raise UserError("trainer.precision=16-mixed needs a GPU; use bf16-mixed or 32-true here")
    if (how := trainer.get("compile", "none")) != "none":
        check_compiler(how, accelerator(trainer))


def recorder_for(trainer: Mapping[str, Any]) -> Callable[[], Recorder] | None:
    """The recorder of iterations: CUDA graphs, on a GPU, with one process, unless `trainer.capture` is none."""
    wanted = trainer.get("capture", "auto") == "auto" and trainer["precision"] != "16-mixed"
    return CudaGraphs if wanted and accelerator(trainer) == "cuda" and processes_of(trainer) == 1 else None


def compiled_for(module: GANModule, trainer: Mapping[str, Any]) -> Compiled:
    """The networks that a stage trains, compiled as `trainer.compile` says."""
    how = trainer.get("compile", "none")
    return Compiled() if how == "none" else Compiled((module.networks[n] for n in module.trained_networks()), how)


def order_memory(networks: Iterable[nn.Module], trainer: Mapping[str, Any]) -> None:
    """Put the weights of 2D convolutions into channels-last order, which a GPU's tensor cores prefer."""
    if accelerator(trainer) == "cuda" and trainer.get("channels_last", "auto") == "auto":
        for network in networks:
            if all(weight.dim() < 5 for weight in network.parameters()):  # of volumes torch takes another order only
                network.to(memory_format=torch.channels_last)


def keep_freed_memory() -> None:
    """Let glibc keep up to 256 MiB of freed memory; else it returns the tensors of each iteration to the system.

    The system would fill each page with zeros when the next iteration allocates it again: 12,000 pages per iteration in
    dcgan_mnist. Other C libraries stay as they are.
    """
    with contextlib.suppress(OSError, TypeError, AttributeError):
        options = ctypes.CDLL(None).mallopt
        options(M_MMAP_THRESHOLD, 32 * MIB)  # the most that it takes; larger blocks still go back at once
        options(M_TRIM_THRESHOLD, 256 * MIB)


def set_up(trainer: Mapping[str, Any]) -> dict[str, Any]:
    """Apply the options of `trainer` that concern the process; returns the others, for Lightning's Trainer."""
    options = {**trainer, "accelerator": accelerator(trainer)}
    for key in ("capture", "channels_last", "compile"):
        options.pop(key, None)
    threads, tf32 = options.pop("threads", None), options.pop("tf32", None)
    if threads is not None:
        torch.set_num_threads(threads)
    if tf32 is not None:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    if options["accelerator"] == "cpu":
        keep_freed_memory()
    if options.get("benchmark") is None:
        options["benchmark"] = options["accelerator"] == "cuda" and not options.get("deterministic")
    return options
