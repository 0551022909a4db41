"""What must be true of networks and their data together before they train; every rule ends in one sentence."""

import sys
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gantrain.config.stages import Stage
from gantrain.data import GANDataModule
from gantrain.data.batch import Batch
from gantrain.errors import UserError
from gantrain.models.base import GANModule
from gantrain.models.loop.eval_mode import for_inference

# What a network ends in, as autograd calls it, and all that can come of it.
REACHES = {"TanhBackward0": ("tanh", (-1, 1)), "SigmoidBackward0": ("sigmoid", (0, 1))}
# What changes no value, on the way from there to the output.
SHAPES_ONLY = ("View", "UnsafeView", "Reshape", "Squeeze", "Unsqueeze", "Permute", "Transpose", "Clone", "Slice")


def check_range(module: GANModule, data: GANDataModule, nodes: Mapping[str, Mapping], batch: Batch) -> None:
    """Raise UserError where a network that makes samples ends in a function which does not reach `data.range`.

    `nodes` are the networks in the config.
    """
    one = {key: value[:1] for key, value in batch.items()}
    for name, network in module.networks.items():
        inputs, wanted = module.inputs_of(name, one), module.target_of(name, one)
        if inputs is None or wanted is None or wanted.shape[1:] != data.shape:
            continue
        function, reach = last_of(network, inputs)
        if function and tuple(data.range) != reach:
            low, high = data.range
            other = next((word for word, of in REACHES.values() if of == (low, high)), None)
            choice = f" or networks.{name}.output={other}" if other and "output" in nodes[name] else ""
            raise UserError(
                f"data.range is [{low:g}, {high:g}], but networks.{name} ends in {function}, which makes "
                f"{reach[0]} to {reach[1]}; set data.range=[{reach[0]},{reach[1]}]{choice}"
            )


def last_of(network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[str, tuple[int, int]]:
    """The function that a network ends in and what it reaches; an empty name where it is none of those known."""
    with for_inference(network), torch.enable_grad():
        # The input asks for gradients as well: a frozen network's weights do not.
        node = network(*(x.detach().requires_grad_().clone() if x.is_floating_point() else x for x in inputs)).grad_fn
    while node is not None and node.name().partition("Backward")[0] in SHAPES_ONLY:
        node = node.next_functions[0][0]
    return REACHES.get(node.name() if node is not None else "", ("", (0, 0)))


def check_frozen(nodes: Mapping[str, Mapping], init_from: str | None) -> None:
    """Raise UserError for a network with layers that never train, where nothing has trained them before."""
    for name, node in nodes.items():
        ours = node["_target_"].startswith("gantrain.")  # in a class of the user's own it may mean anything
        if ours and node.get("freeze") and not init_from:
            raise UserError(
                f"networks.{name}.freeze is {node['freeze']}: layers that never train must come from another run; "
                f"name it with init_from=RUN"
            )


def check_growth(stage: Stage, side: int | None, images: int) -> None:
    """Raise UserError for a stage that fades from another size than the one at which the networks stood before, `side`.

    Warns of one that ends after so many `images`, while its layers fade in.
    """
    size, fade_images = stage.config["data"]["size"], stage.config["models"]["fade_images"]
    key = stage.key("models.fade_images")
    if side is not None and size != 2 * side:
        raise UserError(
            f"{key}: data.size is {size}, which fades in from {size / 2:g}, but the networks stand at {side} then; "
            f"begin with a stage of {size / 2:g}, name a run that has ended there with init_from=RUN, or take null"
        )
    if images < fade_images:
        print(
            f"warning: {key} is {fade_images:,}, but the stage sees {images:,} images: it ends while its layers fade "
            f"in, and a stage after it begins with a jump",
            file=sys.stderr,
        )


def check_batch_norm(module: GANModule, data: GANDataModule, batch: Batch) -> None:
    """Raise UserError where batch norm would get a single value for each channel: of one there are no statistics."""
    if data.batch_size > module.microbatches:
        return
    key, way_out = "data.batch_size is 1", "set data.batch_size=2 or more"
    if module.microbatches > 1:
        key = f"models.microbatches is {module.microbatches}, which leaves one sample in each"
        way_out = "set models.microbatches=1, or as many as leave two in each"
    one = {key: value[:1] for key, value in batch.items()}
    for name in {name: None for player in module.players.values() for name in player.networks}:
        inputs = module.inputs_of(name, one)
        if inputs is not None and 1 in normalised(module.networks[name], inputs):
            raise UserError(f"{key}, but networks.{name} has batch norm, which needs two at least; {way_out}")


def normalised(network: nn.Module, inputs: tuple[Tensor, ...]) -> list[int]:
    """How many values each batch norm gets for a channel."""
    found: list[int] = []

    def note(part: nn.Module, given: tuple[Tensor, ...]) -> None:
        found.append(given[0].numel() // given[0].shape[1])

    norms = [part for part in network.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    try:
        with for_inference(network):
            network(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return found
