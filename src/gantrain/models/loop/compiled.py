"""Networks that PyTorch compiles for training, and for nothing else.

`torch.compile` of a module would change the names in checkpoints. Here a network stays the same object, and only its
`forward` is exchanged while an iteration is played: copies, exports and callbacks see the plain network.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
import torch._functorch.config as _functorch
from torch import nn

from gantrain.errors import UserError, one_line

BACKEND = "inductor"
BACKWARD_TOO = "force_non_lazy_backward_lowering"  # the backward pass is compiled with the forward one
# No mode that records CUDA graphs by itself: iterations are recorded whole.
MODES = {"default": "default", "max-autotune": "max-autotune-no-cudagraphs"}


class Compiled:
    """The compiled forward passes of `networks`; without networks it does nothing."""

    def __init__(self, networks: Iterable[nn.Module] = (), how: str = "default"):
        self.forwards = {network: self.forward_of(network, how) for network in networks}
        if self.forwards:
            torch.compiler.reset()  # nothing may depend on what this process compiled before
            if hasattr(_functorch, BACKWARD_TOO):  # else its errors come where nothing can be done about them
                setattr(_functorch, BACKWARD_TOO, True)

    def forward_of(self, network: nn.Module, how: str) -> Callable[..., Any]:
        plain, made = network.forward, compiled(network.forward, how)

        def forward(*inputs: Any, **options: Any) -> Any:
            try:
                return made(*inputs, **options)
            except torch._dynamo.exc.TorchDynamoException as error:
                reason = one_line(error)[:200]
                print(f"{type(network).__name__} is not compiled, which is slower: {reason}", flush=True)
                del self.forwards[network], network.forward
                return plain(*inputs, **options)

        return forward

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        """While entered, calls of the networks are compiled."""
        self._exchange()
        try:
            yield
        finally:
            self._put_back()

    @contextlib.contextmanager
    def left_out(self) -> Iterator[None]:
        """Within `used`, calls of the networks are eager: compiled ones have no second derivative."""
        self._put_back()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for network, forward in self.forwards.items():
            network.forward = forward

    def _put_back(self) -> None:
        for network in self.forwards:
            del network.forward


def compiled(function: Callable[..., Any], how: str) -> Callable[..., Any]:
    """The compiled function. Each shape of inputs is compiled separately, so that earlier calls change no result."""
    return torch.compile(function, mode=MODES[how], dynamic=False, backend=BACKEND)


def check_compiler(how: str, device: str) -> None:
    """Raise UserError where nothing can be compiled for a device; trying is the only way to find out."""
    try:
        compiled(lambda x: x.sin() + 1, how)(torch.ones(2, device=device))
    except Exception as error:  # it calls other programs, whose errors have no common class
        raise UserError(
            f"trainer.compile={how}: PyTorch cannot compile on this machine ({one_line(error)[:200]}); install a C++ "
            f"compiler, on a GPU Triton as well, or set it to none"
        ) from error
