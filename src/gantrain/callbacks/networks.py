"""A table of the layers of each network, and a graph for TensorBoard, from the first batch of training."""

import contextlib
import io
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities.model_summary import ModelSummary
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from gantrain.data.batch import Batch
from gantrain.models.base import GANModule
from gantrain.models.loop.ema import copied
from gantrain.models.loop.eval_mode import undisturbed

ROWS = 4  # of the first batch; enough for layers that compare the samples of a batch
# Errors of the tracer for a network that it cannot follow; the network itself has run on the same inputs before.
UNTRACEABLE = (RuntimeError, TypeError, ValueError, torch.jit.TracingCheckError)
HEAD = ("| layer | type | output | parameters |", "| --- | --- | --- | ---: |")
Inputs = Mapping[str, tuple[Tensor, ...] | None]  # of each network; None where its family states none


class Networks(pl.Callback):
    """Each network's layers, output shapes and parameters as text, and all networks in one graph, once per stage.

    The inputs are a few samples of the first batch. Copies of the networks are run in eval mode, and global generators
    are restored, so training is not changed.
    """

    every = None  # the first iteration is a round of its own

    def on_train_batch_end(self, trainer: pl.Trainer, module: GANModule, outputs: Any, batch: Batch, *_: Any) -> None:
        loggers = [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]
        if module.iteration != 1 or not trainer.is_global_zero or not loggers:
            return
        few = {key: value[:ROWS] for key, value in batch.items()}
        with undisturbed(module, module.device):
            copies = {name: copied(network).eval() for name, network in module.networks.items()}
            inputs = {name: module.inputs_of(name, few) for name in copies}
            for logger in loggers:
                describe(logger.experiment, copies, inputs, module.prefix)


def describe(writer: SummaryWriter, networks: Mapping[str, nn.Module], inputs: Inputs, prefix: str) -> None:
    """Write a text for each network, and a graph of all that can be traced; a text says why a network cannot."""
    given = {name: network for name, network in networks.items() if inputs[name] is not None}
    reasons = dict.fromkeys(networks.keys() - given.keys(), "this stage's family states no inputs for it")
    if not draw(writer, given, inputs):
        failed = {name: why_not_traceable(network, inputs[name]) for name, network in given.items()}
        reasons |= {name: reason for name, reason in failed.items() if reason is not None}
        draw(writer, {name: network for name, network in given.items() if name not in reasons}, inputs)
    for name, network in networks.items():
        note = f"\n\nNo graph: {reasons[name]}." if name in reasons else ""
        writer.add_text(f"{prefix}networks/{name}", table(network, inputs[name]) + note, 0)


def draw(writer: SummaryWriter, networks: Mapping[str, nn.Module], inputs: Inputs) -> bool:
    """Write one graph of the networks, unless one of them cannot be traced."""
    try:
        with tracing():
            if networks:
                writer.add_graph(AllNetworks(networks), tuple(inputs[name] for name in networks))
    except UNTRACEABLE:
        return False
    return True


def table(network: nn.Module, inputs: tuple[Tensor, ...] | None) -> str:
    """Layers, output shapes and parameter counts as a Markdown table; shapes are `?` for what did not run."""
    summary = ModelSummary(Alone(network, inputs), max_depth=-1)
    counts = f"{summary.total_parameters:,} parameters, {summary.trainable_parameters:,} of them trained"
    lines = [f"{counts}; outputs of a few samples.", "", *HEAD]
    columns = (summary.layer_names, summary.layer_types, summary.out_sizes, summary.param_nums)
    for name, kind, size, count in zip(*columns, strict=True):
        lines.append(f"| {name.partition('.')[2] or '(all of it)'} | {kind} | {size} | {count:,} |")
    return "\n".join(lines)


def why_not_traceable(network: nn.Module, inputs: tuple[Tensor, ...]) -> str | None:
    """The reason why a network has no graph, or None where it has one."""
    try:
        with tracing():
            torch.jit.trace(AllNetworks({"network": network}), (inputs,), check_trace=False)
    except UNTRACEABLE as error:
        return f"torch.jit.trace cannot follow it ({' '.join(str(error).split())[:300]})"
    return None


@contextlib.contextmanager
def tracing() -> Iterator[None]:
    """Without the tracer's warnings and TensorBoard's printed errors, about which a user can do nothing."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")
        yield


class Alone(pl.LightningModule):
    """One network as Lightning's summary wants it."""

    def __init__(self, network: nn.Module, inputs: tuple[Tensor, ...] | None):
        super().__init__()
        self.network, self.example_input_array = network, inputs
        if inputs is not None:
            self.to(inputs[0].device)  # the summary moves its inputs to where this module says it is

    def forward(self, *inputs: Tensor) -> Any:
        return self.network(*inputs)


class AllNetworks(nn.ModuleDict):
    """Networks that each get their inputs: tensors in, tensors out. The graph shows this class by its name."""

    def forward(self, *inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        made = (network(*given) for network, given in zip(self.values(), inputs, strict=True))
        return tuple(part for one in made for part in tensors(one))


def tensors(made: Tensor | Iterable[Any]) -> list[Tensor]:
    """The tensors in what a network gives, in order."""
    if isinstance(made, Tensor):
        return [made]
    return [part for value in made if value is not None for part in tensors(value)]
