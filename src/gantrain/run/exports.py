"""Networks for use: written beside a run's checkpoints, and loaded by any program."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from gantrain.config.build import allow_plugins, build
from gantrain.errors import UserError, first_line
from gantrain.files import replacing
from gantrain.networks.labels import take_latents_alone
from gantrain.run.plain import bounded_json

LARGEST_NODE = 256 << 10  # bytes of config.json


def export(
    folder: Path, networks: Mapping[str, nn.Module], averaged: Mapping[str, nn.Module], nodes: Mapping[str, Any]
) -> None:
    """Write `<folder>/<name>/` of each network: weights.safetensors, ema.safetensors where kept, config.json."""
    for name, network in networks.items():
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        if name not in averaged:  # of an earlier stage, which who loads the network would take for this one's
            (place / "ema.safetensors").unlink(missing_ok=True)
        with replacing(place / "config.json") as temporary:
            temporary.write_text(json.dumps(nodes[name], indent=2), encoding="utf-8")
        kinds = {"weights": network, **({"ema": averaged[name]} if name in averaged else {})}
        for kind, source in kinds.items():
            with replacing(place / f"{kind}.safetensors") as temporary:
                write_weights(source, temporary)


def write_weights(network: nn.Module, file: Path) -> None:
    # Each its own memory: safetensors refuses tied weights.
    tensors = {key: value.detach().cpu().contiguous().clone() for key, value in network.state_dict().items()}
    file.write_bytes(save(tensors))  # its own writer hides what the disk says


def load_network(folder: Path | str, raw: bool = False, plugins: Sequence[str] = ()) -> nn.Module:
    """One exported network from its folder `networks/<name>`, in eval mode: all that another program needs.

    A generator that takes class numbers beside its latents does without them too: each latent then says its class.
    """
    allow_plugins(plugins)
    folder = Path(folder)
    network = untrained(folder)
    averaged = folder / "ema.safetensors"
    load_exported(network, averaged if averaged.is_file() and not raw else folder / "weights.safetensors")
    take_latents_alone(network)
    return network.eval().requires_grad_(False)


def untrained(folder: Path) -> nn.Module:
    """The network that `folder/config.json` describes, without its weights. Raises UserError."""
    try:
        if (file := folder / "config.json").stat().st_size > LARGEST_NODE:
            raise ValueError(f"{file} has more than {LARGEST_NODE >> 10} kB")
        node = bounded_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder} is no exported network ({error}); name a folder like RUN/networks/generator"
        ) from error
    return build(node, "config.json", nn.Module)


def load_exported(network: nn.Module, file: Path) -> None:
    try:
        network.load_state_dict(load_file(file))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise UserError(f"{file} cannot be loaded ({first_line(error)}); export it again from a checkpoint") from error
