"""What of a game is saved and put back: networks, EMA, optimizers, schedules, counters, running means, buffers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from gantrain import rng
from gantrain.errors import UserError

if TYPE_CHECKING:
    from gantrain.models.base import GANModule  # it imports this module

# What torch and Python raise where a checkpoint has other names, shapes or kinds of values than expected.
UNFIT = (LookupError, ValueError, RuntimeError, TypeError, AttributeError)


class Stateful(Protocol):
    """What a process holds besides networks and counters, such as a pool of images; its state is plain types."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None: ...


def state_of(module: "GANModule") -> dict[str, Any]:
    """Everything that training depends on and all processes share, in tensors and plain types."""
    scaler = scaler_of(module)
    return {
        "networks": {name: network.state_dict() for name, network in module.networks.items()},
        "ema": {} if module.ema is None else {n: net.state_dict() for n, net in module.ema.copies.items()},
        "optimizers": {name: module.raw_optimizer(name).state_dict() for name in module.players},
        "schedules": {name: plain_schedule(schedule) for name, schedule in module.schedules.items()},
        "scaler": {} if scaler is None else scaler.state_dict(),
        "iteration": module.iteration,
        "images_seen": module.images_seen,
        "turns": dict(module.turns),
        "statistics": dict(module.statistics),
    }


def own_state_of(module: "GANModule") -> dict[str, Any]:
    """What each process has of its own; a checkpoint has a list of them under each key, by rank."""
    own = {"rng": rng.get_state(module.device), "meters": module.meters.state_dict()}
    if module.stateful:
        own["stateful"] = {name: part.state_dict() for name, part in module.stateful.items()}
    return own


def load_state(module: "GANModule", state: Mapping[str, Any]) -> None:
    """What a checkpoint holds but the random generators; the optimizers must be configured. Raises UserError."""
    load_networks(module, state)
    try:
        for name in module.players:
            module.raw_optimizer(name).load_state_dict(state["optimizers"][name])
        for name, schedule in module.schedules.items():
            schedule.load_state_dict(state["schedules"][name])
        scaler = scaler_of(module)
        if scaler is not None:
            scaler.load_state_dict(state["scaler"])
        module.iteration, module.images_seen = whole(state, "iteration"), whole(state, "images_seen")
        module.turns = {name: whole(state["turns"], name) for name in module.players}
        module.statistics = {name: float(value) for name, value in state["statistics"].items()}
        # A process more than the checkpoint knew goes on from the first one's means: they have the same keys.
        rank = module.trainer.global_rank
        module.meters.load_state_dict(state["meters"][rank if rank < len(state["meters"]) else 0], module.device)
        for name, part in module.stateful.items():
            if rank < len(state["stateful"]):
                part.load_state_dict(state["stateful"][rank][name], module.device)
    except UNFIT as error:
        raise misfit(error) from error


def load_networks(module: "GANModule", state: Mapping[str, Any]) -> None:
    """The networks' and the EMA's weights alone. Raises UserError where they do not fit."""
    try:
        for name, network in module.networks.items():
            network.load_state_dict(state["networks"][name])
        if module.ema is not None:
            if not module.ema.copies:
                module.ema.start(module.networks)
            for name, network in module.ema.copies.items():
                network.load_state_dict(state["ema"][name])
    except UNFIT as error:
        raise misfit(error) from error


def load_generators(state: Mapping[str, Any], rank: int, device: torch.device) -> bool:
    """A process' random generators; False where the checkpoint knew fewer processes. Raises UserError."""
    try:
        if rank >= len(state["rng"]):
            return False
        rng.set_state(state["rng"][rank], device)
    except UNFIT as error:
        raise misfit(error) from error
    return True


def whole(values: Mapping[str, Any], key: str) -> int:
    if not isinstance(values[key], int):
        raise TypeError(f"{key} is {values[key]!r}, no whole number")
    return values[key]


def scaler_of(module: "GANModule") -> Any:
    """The gradient scaler of fp16, or None."""
    return getattr(module.trainer.precision_plugin, "scaler", None)


def plain_schedule(schedule: Any) -> dict[str, Any]:
    """A schedule's counters; functions in it come back from the config, not from a checkpoint."""
    plain = (int, float, str, bool, list, tuple, dict, type(None))
    return {key: value for key, value in schedule.state_dict().items() if isinstance(value, plain)}


def copy_buffers(module: "GANModule") -> dict[str, Tensor]:
    """The buffers of the trained networks, for `restore_buffers` should the iteration be skipped."""
    networks = {name: module.networks[name] for name in module.trained_networks()}
    return {f"{name}.{key}": b.clone() for name, network in networks.items() for key, b in network.named_buffers()}


def restore_buffers(module: "GANModule", buffers: Mapping[str, Tensor]) -> None:
    for name in module.trained_networks():
        for key, buffer in module.networks[name].named_buffers():
            buffer.copy_(buffers[f"{name}.{key}"])


def misfit(error: Exception) -> UserError:
    """For a state that does not fit the networks or players of a run's config; torch's own message is long."""
    lines = str(error).splitlines() or [type(error).__name__]
    detail = (lines[1] if len(lines) > 1 else lines[0]).strip()
    return UserError(
        f".hydra/config.yaml: what it describes is not what the checkpoint holds ({detail}); undo the edit"
    )
