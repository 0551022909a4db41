"""What a discriminator has learnt to see: its layers' outputs, max-pooled, for another task.

As in Radford et al. 2016 (section 5.1) for pictures and in Wu et al. 2016 (section 4.2) for volumes.
"""

import contextlib
import inspect
from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.errors import UserError, one_line
from gantrain.models.checks import pack_of
from gantrain.networks.critique import Critique

ACTIVATIONS = (nn.LeakyReLU, nn.ReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.SiLU, nn.GELU, nn.Mish, nn.Tanh)
LAYERS = (nn.modules.conv._ConvNd, nn.Linear)
POOLING = {2: (F.adaptive_max_pool2d, 4), 3: (F.adaptive_max_pool3d, 2)}


class LayerOutputs(contextlib.ExitStack):
    """A network's layer outputs, first to last, for batches of its inputs.

    They are the `features` of its Critique where it gives any, else the outputs of its activations, or where it has no
    such modules those of its convolutional and linear layers but the last. Close it to take the hooks off.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network
        self.seen: list[Tensor] = []
        activations = [part for part in network.modules() if isinstance(part, ACTIVATIONS)]
        layers = [part for part in network.modules() if isinstance(part, LAYERS)][:-1]
        for part in activations or layers:
            self.enter_context(part.register_forward_hook(lambda part, inputs, output: self.seen.append(output)))

    def __call__(self, *inputs: Tensor) -> list[Tensor]:
        self.seen = []
        judged = self.network(*inputs)
        return list(judged.features) if isinstance(judged, Critique) and judged.features else self.seen


def max_pooled(output: Tensor, side: int | None = None) -> Tensor:
    """A layer's output (n, channels, ...) max-pooled to `side` positions each way and flattened, (n, features).

    `side` is by default the papers': 2 for volumes, 4 for pictures. Smaller maps, and outputs without positions, stay.
    """
    extents = output.shape[2:]
    if len(extents) not in POOLING:
        return output.flatten(1)
    pool, usual = POOLING[len(extents)]
    return pool(output, [min(side or usual, extent) for extent in extents]).flatten(1)


@torch.no_grad()
def features_of(
    network: nn.Module,
    batches: Iterable[tuple[Tensor, ...]],
    layers: Sequence[int] | None = None,
    pool: int | None = None,
) -> Tensor:
    """Features (n, d) float32, on the CPU, of batches of a discriminator's inputs: its `layers`, of which the first is
    1 (all but the first), each pooled to `pool` positions a side. Raises UserError."""
    device, rows = next(network.parameters()).device, []
    with LayerOutputs(network) as outputs_of:
        for inputs in batches:
            try:
                outputs = outputs_of(*(value.to(device) for value in inputs))
            except RuntimeError as error:
                raise UserError(f"this discriminator does not take these data ({one_line(error)})") from error
            chosen = layers or list(range(min(2, len(outputs)), len(outputs) + 1))
            if not all(1 <= layer <= len(outputs) for layer in chosen):
                raise UserError(f"--layers: this discriminator has the layers 1 to {len(outputs)}")
            rows.append(torch.cat([max_pooled(outputs[layer - 1], pool) for layer in chosen], 1).float().cpu())
    return torch.cat(rows)


def of_samples_alone(network: nn.Module, samples: Tensor) -> tuple[Tensor, ...]:
    """What a discriminator takes of samples of which it is told nothing.

    One that judges packs gets each beside itself, one that judges by class gets all as of class 0. Their own classes
    would not do: features that know the class tell nothing of how well it can be seen.
    """
    samples = samples.repeat_interleave(pack_of(network), 0)
    if getattr(network, "classes", None) is None:
        return (samples,)
    return samples, torch.zeros(len(samples), dtype=torch.int64, device=samples.device)


def takes_cond(network: nn.Module) -> bool:
    """Whether a network wants a condition beside the sample."""
    if getattr(network, "classes", None) is not None:
        return True
    parameters = inspect.signature(network.forward).parameters.values()
    return sum(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters) > 1
