"""What a discriminator has learnt to see: its layers' outputs, max-pooled, for another task.

As in Radford et al. 2016 (section 5.1) for pictures and in Wu et al. 2016 (section 4.2) for volumes.
"""

import contextlib
import inspect

import torch.nn.functional as F
from torch import Tensor, nn

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
        self.network, self.seen = network, []
        found = [part for part in network.modules() if isinstance(part, ACTIVATIONS)]
        found = found or [part for part in network.modules() if isinstance(part, LAYERS)][:-1]
        for part in found:
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


def takes_cond(network: nn.Module) -> bool:
    """Whether a network wants a condition beside the sample."""
    if getattr(network, "classes", None) is not None:
        return True
    parameters = inspect.signature(network.forward).parameters.values()
    return sum(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters) > 1
