"""What the networks are: a table of layers and a graph for TensorBoard, from the first batch of training."""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities.model_summary import ModelSummary
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from gantrain.models.base import Batch, GANModule, batch_size
from gantrain.models.loop.ema import copied
from gantrain.models.loop.eval_mode import undisturbed

ROWS = 4  # of the first batch; enough for layers that compare the samples of a batch
# What the tracer raises for a network that it cannot follow; the network itself has just run on the same inputs.
UNTRACEABLE = (RuntimeError, TypeError, ValueError, torch.jit.TracingCheckError)


@dataclass
class Call:
    """What a network was called with."""

    args: tuple
    kwargs: dict[str, Any]


class Networks(pl.Callback):
    """Each network's layers, output shapes and parameters as text, and all networks in one graph, once per stage.

    The inputs are those of each network's first call in the first iteration, so a family need not state any. Copies
    run, in eval mode; modes and global generators are put back: looking never changes training.
    """

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}
        self._hooks: list[Any] = []

    def on_train_batch_start(self, trainer: pl.Trainer, module: GANModule, batch: Batch, batch_idx: int) -> None:
        if module.iteration == 0 and trainer.is_global_zero and writers(trainer):
            self._listen(module, batch_size(batch))

    def _listen(self, module: GANModule, n: int) -> None:
        for name, network in module.networks.items():

            def remember(_: nn.Module, args: tuple, kwargs: dict[str, Any], name: str = name) -> None:
                if name not in self._calls:
                    self._calls[name] = Call(first_rows(args, n), first_rows(kwargs, n))

            self._hooks.append(network.register_forward_pre_hook(remember, with_kwargs=True))

    def on_train_batch_end(self, trainer: pl.Trainer, module: GANModule, *args: Any) -> None:
        if not self._hooks:
            return
        self._forget_hooks()
        with undisturbed(module, module.device):
            copies = {name: copied(network).eval() for name, network in module.networks.items()}
            for writer in writers(trainer):
                describe(writer, copies, self._calls, f"{module.stage}/" if module.stage else "")
        self._calls = {}

    def on_exception(self, trainer: pl.Trainer, module: GANModule, exception: BaseException) -> None:
        self._forget_hooks()

    def _forget_hooks(self) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks = []


def writers(trainer: pl.Trainer) -> list[SummaryWriter]:
    return [logger.experiment for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]


def describe(writer: SummaryWriter, networks: Mapping[str, nn.Module], calls: Mapping[str, Call], prefix: str) -> None:
    """Write a text for each network, and one graph of those that can be traced; the text says why one cannot."""
    traceable = []
    for name, network in networks.items():
        reason = why_not_traceable(network, calls.get(name))
        if reason is None:
            traceable.append(name)
        note = "" if reason is None else f"\n\nNo graph: {reason}."
        writer.add_text(f"{prefix}networks/{name}", table(network, calls.get(name)) + note, 0)
    if traceable:
        calls = {name: calls[name] for name in traceable}
        with tracing():
            inputs = tuple(value for call in calls.values() for value in tensors((call.args, call.kwargs)))
            writer.add_graph(AllNetworks({name: networks[name] for name in traceable}, calls), inputs)


def table(network: nn.Module, call: Call | None) -> str:
    """Layers, output shapes and parameter counts as a Markdown table; shapes are `?` for what did not run."""
    summary = ModelSummary(Alone(network, call), max_depth=-1)
    layers = zip(summary.layer_names, summary.layer_types, summary.out_sizes, summary.param_nums, strict=True)
    rows = [
        f"| {name.partition('.')[2] or '(all of it)'} | {kind} | {size} | {count:,} |"
        for name, kind, size, count in layers
    ]
    total = f"{summary.total_parameters:,} parameters, {summary.trainable_parameters:,} of them trained"
    return "\n".join(
        [
            f"{total}; outputs of a few samples.",
            "",
            "| layer | type | output | parameters |",
            "| --- | --- | --- | ---: |",
            *rows,
        ]
    )


def why_not_traceable(network: nn.Module, call: Call | None) -> str | None:
    """The reason why a network has no graph, or None where it has one."""
    if call is None:
        return "the first iteration did not call this network"
    try:
        with tracing():
            inputs = tuple(tensors((call.args, call.kwargs)))
            torch.jit.trace(AllNetworks({"network": network}, {"network": call}), inputs, check_trace=False)
    except UNTRACEABLE as error:
        return f"torch.jit.trace cannot follow it ({' '.join(str(error).split())[:300]})"
    return None


@contextlib.contextmanager
def tracing() -> Iterator[None]:
    """The tracer warns of every branch it flattens and TensorBoard prints errors: nothing a user could act on."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")
        yield


class Alone(pl.LightningModule):
    """One network as Lightning's summary wants it."""

    def __init__(self, network: nn.Module, call: Call | None):
        super().__init__()
        self.network, self.call = network, call
        self.example_input_array = None if call is None else tuple(tensors((call.args, call.kwargs)))
        if self.example_input_array:
            self.to(self.example_input_array[0].device)  # the summary moves its inputs to where this module says it is

    def forward(self, *inputs: Tensor) -> Any:
        args, kwargs = put_back((self.call.args, self.call.kwargs), iter(inputs))
        return self.network(*args, **kwargs)


class AllNetworks(nn.Module):
    """Networks that each get their own inputs: tensors in, tensors out. The graph shows this class by its name."""

    def __init__(self, networks: Mapping[str, nn.Module], calls: Mapping[str, Call]):
        super().__init__()
        self.calls = dict(calls)
        for name, network in networks.items():
            self.add_module(name, network)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        rest, made = iter(inputs), []
        for name, call in self.calls.items():
            args, kwargs = put_back((call.args, call.kwargs), rest)
            made.extend(tensors(self.get_submodule(name)(*args, **kwargs)))
        return tuple(made)


# ---- tensors inside of arguments and answers -------------------------------------------------------------------------


def first_rows(value: Any, n: int) -> Any:
    """The same arguments for a few samples of a batch of `n`, in float32: autocast is off for the copies."""

    def cut(tensor: Tensor) -> Tensor:
        rows = tensor[:ROWS] if tensor.dim() and len(tensor) == n else tensor
        return rows.detach().to(torch.float32 if tensor.is_floating_point() else tensor.dtype, copy=True)

    return mapped(value, cut)


def tensors(value: Any) -> list[Tensor]:
    """The tensors in a nested value, in order."""
    found: list[Tensor] = []
    mapped(value, lambda tensor: found.append(tensor) or tensor)
    return found


def put_back(value: Any, new: Iterator[Tensor]) -> Any:
    """The same nested value with its tensors replaced by `new` ones, in order."""
    return mapped(value, lambda tensor: next(new))


def mapped(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """`change` every tensor in nested lists, tuples, dicts and dataclasses; all else stays."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: mapped(part, change) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [mapped(part, change) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if is_dataclass(value):
        return replace(value, **{field.name: mapped(getattr(value, field.name), change) for field in fields(value)})
    return value
