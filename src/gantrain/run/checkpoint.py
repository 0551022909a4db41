"""Checkpoints: what they hold of a game, how they are read from a file and restored.

A file may come from a stranger or be truncated, so it holds only tensors and plain types, and is loaded as such.
"""

import contextlib
import operator
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, Protocol, runtime_checkable

import torch
from torch.optim import Optimizer

from gantrain import rng
from gantrain.errors import UserError
from gantrain.networks.weights import load_plain
from gantrain.parallel import gather
from gantrain.run.plain import UNFIT

ROWS = ("row_var", "col_var")  # of Adafactor: a number for each row or column of a weight
FLAGS = ("fused", "foreach", "capturable", "differentiable")  # how an optimizer computes its step, not its result
# The types of what every checkpoint holds, also of earlier versions.
KINDS = {
    **dict.fromkeys(("networks", "ema", "optimizers", "scaler", "turns", "statistics"), dict),
    **dict.fromkeys(("iteration", "images_seen"), int),
    **dict.fromkeys(("rng", "meters"), list),
}


@runtime_checkable
class Stateful(Protocol):
    """Something with state besides networks and counters, such as a pool of images; its state is of plain types."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None: ...


class Game(Protocol):
    """The attributes of a `GANModule` that a checkpoint reads and restores."""

    networks: Any
    ema: Any
    players: dict[str, Any]
    schedules: dict[str, Any]
    iteration: int
    length: int
    images_seen: int
    turns: dict[str, int]
    statistics: dict[str, float]
    meters: Any
    kept: dict[str, Any]
    kept_shared: dict[str, Stateful]
    trainer: Any

    @property
    def device(self) -> torch.device: ...

    def optimizer_of(self, name: str) -> Optimizer: ...


def checkpoint_of(game: Game, data: str) -> dict[str, Any]:
    """The state that training depends on; every process must call this. `data` is the fingerprint of the source."""
    own = {
        "rng": rng.get_state(game.device),
        "meters": game.meters.state_dict(),
        "stateful": {name: part.state_dict() for name, part in game.kept.items()},
    }
    of_all = gather(own, game.trainer.world_size)
    scaler = scaler_of(game)
    return {
        # the same on every process; rank 0's are saved
        "networks": {name: network.state_dict() for name, network in game.networks.items()},
        "ema": {} if game.ema is None else {name: net.state_dict() for name, net in game.ema.copies.items()},
        "optimizers": {name: optimizer_state(game.optimizer_of(name)) for name in game.players},
        "scaler": {} if scaler is None else scaler.state_dict(),
        "iteration": game.iteration,
        "images_seen": game.images_seen,
        "turns": dict(game.turns),
        "statistics": dict(game.statistics),
        "shared": {name: part.state_dict() for name, part in game.kept_shared.items()},
        "data": data,
        # each process' own, by rank
        **{key: [process[key] for process in of_all] for key in own},
    }


def read_checkpoint(file: Path) -> dict[str, Any]:
    """A checkpoint's tensors and plain types, on the CPU. Raises one of `DAMAGED`."""
    state = load_plain(file)
    if not isinstance(state, dict) or not all(isinstance(state.get(key), kind) for key, kind in KINDS.items()):
        raise ValueError("it is no checkpoint of gantrain")
    return state


@contextlib.contextmanager
def fitting() -> Iterator[None]:
    """Turn the errors of a state that does not fit into a UserError of one sentence."""
    try:
        yield
    except UNFIT as error:
        raise misfit(error) from error


@fitting()
def load_state(game: Game, state: Mapping[str, Any]) -> None:
    """Restore everything except the random generators; the optimizers must be configured already. Raises UserError."""
    load_networks(game, state)
    for name in game.players:
        load_optimizer(game.optimizer_of(name), state["optimizers"][name])
    scaler = scaler_of(game)
    if scaler is not None:
        scaler.load_state_dict(state["scaler"])
    game.iteration, game.images_seen = operator.index(state["iteration"]), operator.index(state["images_seen"])
    if not 0 <= game.iteration <= game.length:  # before schedules are advanced so many times
        raise ValueError(f"it is of {game.iteration:,} iterations, the run has {game.length:,}")
    for schedule in game.schedules.values():
        schedule.go_on(game.iteration)
    game.turns = {name: operator.index(state["turns"][name]) for name in game.players}
    game.statistics = {name: float(value) for name, value in state["statistics"].items()}
    for meters in state["meters"]:
        refuse_other_meters(meters)
    # With more processes than wrote the checkpoint, the new ones take the first one's means, which have the same keys.
    rank = game.trainer.global_rank
    game.meters.load_state_dict(state["meters"][rank if rank < len(state["meters"]) else 0], game.device)
    for name, part in game.kept.items():
        if rank < len(state["stateful"]):
            part.load_state_dict(state["stateful"][rank][name], game.device)
    for name, part in game.kept_shared.items():
        part.load_state_dict(state["shared"][name], game.device)


@fitting()
def load_networks(game: Game, state: Mapping[str, Any]) -> None:
    """Restore only the weights of the networks and of the EMA. Raises UserError where they do not fit."""
    for name, network in game.networks.items():
        network.load_state_dict(state["networks"][name])
    if game.ema is not None:
        if not game.ema.copies:
            game.ema.start(game.networks)
        for name, network in game.ema.copies.items():
            network.load_state_dict(state["ema"][name])


@fitting()
def load_generators(state: Mapping[str, Any], rank: int, device: torch.device) -> bool:
    """Restore a process's random generators; False if the checkpoint has fewer processes. Raises UserError."""
    if rank >= len(state["rng"]):
        return False
    rng.set_state(state["rng"][rank], device)
    return True


def refuse_other_kind(theirs: Any, ours: Any, key: str) -> None:
    """Raise TypeError where a value is of another kind than the one that it replaces, or for a list at any place."""
    if ours is None:
        return
    kinds = next((several for several in ((int, float), (list, tuple)) if type(ours) in several), (type(ours),))
    if type(theirs) not in kinds or (list in kinds and len(theirs) != len(ours)):
        raise TypeError(f"{key} is a {type(theirs).__name__}, not a {type(ours).__name__}")
    for i, (their, our) in enumerate(zip(theirs, ours, strict=True) if list in kinds else ()):
        refuse_other_kind(their, our, f"{key}[{i}]")


def refuse_other_meters(state: Mapping[str, Any]) -> None:
    """Raise TypeError where running means are not tensors of floats with their tags and counts."""
    for tags, sums, count in state.get("groups", ()):
        named = all(isinstance(tag, str) for tag in tags)
        if not (named and type(count) is int and torch.is_tensor(sums) and sums.shape == (len(tags),)):
            raise TypeError("meters: a group is of another kind")


def scaler_of(game: Game) -> Any:
    """The gradient scaler of fp16, or None."""
    return getattr(game.trainer.precision_plugin, "scaler", None)


def optimizer_state(optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer's state in plain numbers and tensors; a rate that is a tensor becomes a number."""
    state = optimizer.state_dict()
    groups = [{k: v.item() if torch.is_tensor(v) else v for k, v in group.items()} for group in state["param_groups"]]
    return {**state, "param_groups": groups}


def load_optimizer(optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """Restore an `optimizer_state`, also on another kind of device; how a step is computed (`FLAGS`) stays as it is."""
    groups = []
    for theirs, ours in zip(state["param_groups"], optimizer_state(optimizer)["param_groups"], strict=True):
        for key in ours.keys() & theirs.keys() - {"params", *FLAGS}:
            refuse_other_kind(theirs[key], ours[key], key)
        # Options that they lack, because an earlier torch had fewer, are those of the config.
        groups.append({**ours, **theirs, **{flag: ours[flag] for flag in FLAGS if flag in ours}})
    rates = [group["lr"] for group in optimizer.param_groups]
    optimizer.load_state_dict({**state, "param_groups": groups})
    refuse_other_moments(optimizer)
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        if torch.is_tensor(rate):
            group["lr"] = rate.fill_(float(group["lr"]))  # a schedule and a recorded step use this very tensor
    for weight, kept in optimizer.state.items():
        for key, value in kept.items():
            if torch.is_tensor(value) and value.shape == weight.shape and value.stride() != weight.stride():
                # Saved in another memory order; fused kernels expect the order of the weight.
                kept[key] = torch.empty_like(weight, dtype=value.dtype).copy_(value)


def refuse_other_moments(optimizer: Optimizer) -> None:
    """Raise ValueError or TypeError for optimizer state that no step can have produced."""
    for matrices in (True, False):  # Adafactor keeps different things for matrices and for vectors
        kinds = {frozenset(kept) for weight, kept in optimizer.state.items() if kept and (weight.dim() > 1) == matrices}
        if len(kinds) > 1:
            raise ValueError("an optimizer lacks something of a weight that it has of another")
    amounts: dict[str, set[int]] = {}  # by key, how much is kept per weight: nothing (0), a number (1), a tensor (2)
    for weight, kept in optimizer.state.items():
        for key, value in kept.items():
            refuse_other_moment(key, value, weight)
            if weight.numel() > 1 and key not in ROWS:
                amount = 0 if value is None else min(value.numel(), 2) if torch.is_tensor(value) else 1
                amounts.setdefault(key, set()).add(amount)
    if mixed := [key for key, kinds in amounts.items() if len(kinds) > 1]:
        raise ValueError(f"an optimizer's {mixed[0]} is of another kind for some weights")


def refuse_other_moment(key: str, value: Any, weight: torch.Tensor) -> None:
    """Raise ValueError or TypeError for a value under this key that no step can have produced for the weight."""
    if not isinstance(value, (torch.Tensor, int, float, NoneType)):
        raise TypeError(f"an optimizer's {key} is a {type(value).__name__}")
    if torch.is_tensor(value) and not (value.numel() == 1 or fits(value, weight, key)):
        raise ValueError(f"an optimizer's {key} has the shape {tuple(value.shape)}")
    if key == "step" and not 0 <= float(value) < 1e15:
        raise ValueError(f"an optimizer's step is {float(value)}")


def fits(value: torch.Tensor, weight: torch.Tensor, key: str) -> bool:
    """Whether a value has the shape of the weight; what Adafactor keeps has a number for each row or column instead."""
    if not value.is_floating_point() or key not in ROWS:
        return value.is_floating_point() and value.shape == weight.shape
    return value.dim() == weight.dim() and all(a in (1, b) for a, b in zip(value.shape, weight.shape, strict=True))


def misfit(error: Exception) -> UserError:
    """The UserError for a state that does not fit a run's config; torch's own message would be long."""
    lines = str(error).splitlines() or [type(error).__name__]
    detail = (lines[1] if len(lines) > 1 else lines[0]).strip()
    return UserError(
        f".hydra/config.yaml: what it describes is not what the checkpoint holds ({detail}); undo the edit"
    )
