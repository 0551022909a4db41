"""A run's parts from its config: data, networks, players and module of each stage, callbacks, loggers."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gantrain import rng
from gantrain.config.build import Derive, as_named, build
from gantrain.config.stages import Stage
from gantrain.data import GANDataModule
from gantrain.errors import UserError
from gantrain.losses.penalties import Penalty
from gantrain.models.base import GANModule
from gantrain.models.loop.ema import EMA
from gantrain.models.players import Player


def build_networks(stages: Sequence[Stage]) -> dict[str, nn.Module]:
    """Every network that the stages name, once per name, with the initial weights of the run's seed."""
    nodes: dict[str, Mapping] = {}
    for stage in stages:
        for name, node in stage.config["networks"].items():
            if nodes.setdefault(name, node) != node:
                raise UserError(
                    f"stages.{stage.tag}.networks.{name} differs from the {name} of an earlier stage, which it is; "
                    f"state it once, at the root, or give it another name"
                )
    rng.seed_everything(stages[0].config["seed"], "networks")
    return {name: build(node, f"networks.{name}", nn.Module) for name, node in nodes.items()}


def build_data(stage: Stage, derive: Derive = as_named) -> GANDataModule:
    node = {"_target_": "gantrain.data.GANDataModule", **stage.config["data"]}
    return build(node, "data", GANDataModule, derive, seed=stage.config["seed"])


def build_stage(stage: Stage, networks: Mapping[str, nn.Module], derive: Derive = as_named) -> GANModule:
    """The family module of a stage around the networks it names."""
    config, node = stage.config, dict(stage.config["models"])
    losses = dict(config.get("losses") or {})
    penalties = {
        name: build(penalty, f"losses.penalties.{name}", Penalty)
        for name, penalty in (losses.pop("penalties", None) or {}).items()
        if penalty is not None
    }
    parts = {name: build(loss, f"losses.{name}") for name, loss in losses.items() if loss is not None}
    players = {name: build_player(name, player) for name, player in (node.pop("players", None) or {}).items()}
    if not players:
        raise UserError("models.players: nobody plays; name at least one player with its networks and optimizer")
    ema = node.pop("ema", None)
    return build(
        node,
        "models",
        GANModule,
        derive,
        networks={name: networks[name] for name in config["networks"]},
        players=players,
        penalties=penalties,
        ema=build({"_target_": "gantrain.models.loop.ema.EMA", **ema}, "models.ema", EMA) if ema else None,
        seed=config["seed"],
        stage=stage.tag,
        **parts,
    )


def build_player(name: str, node: Mapping[str, Any]) -> Player:
    key = f"models.players.{name}"
    node = {"_target_": "gantrain.models.players.Player", **node}
    for part, expect in (("optimizer", Optimizer), ("schedule", LRScheduler)):
        if part == "optimizer" or node.get(part) is not None:
            if not isinstance(node.get(part), Mapping):
                raise UserError(f"{key}.{part} is {node.get(part)!r}, it must name a class with _target_")
            node[part] = {**node[part], "_partial_": True}
            build(node[part], f"{key}.{part}", expect)  # its own error names the part
    return build(node, key, Player)


def check_optimizers(module: GANModule) -> None:
    """Make each player's optimizer and schedule once, on the real weights, so that their mistakes come early."""
    for name, player in module.players.items():
        made: Any = module.weights_of(name)
        for part in ("optimizer", "schedule") if player.schedule is not None else ("optimizer",):
            partial, key = getattr(player, part), f"models.players.{name}.{part}"
            try:
                made = partial(made)
            except (ValueError, TypeError, LookupError) as error:
                options = ", ".join(f"{option}={value}" for option, value in partial.keywords.items())
                raise UserError(f"{key}: {partial.func.__name__} refuses its options, {options} ({error})") from error
        if player.schedule is not None:
            check_schedule(made, f"models.players.{name}.schedule")


def check_schedule(schedule: LRScheduler, key: str) -> None:
    """Raise UserError for one whose step wants a metric, also where another holds it."""
    for part in (schedule, *getattr(schedule, "_schedulers", ())):
        try:
            inspect.signature(part.step).bind()
        except TypeError as error:
            raise UserError(
                f"{key}: {type(part).__name__} steps by a metric, and no loss of a game says how well it goes; take a "
                f"schedule of iterations, such as torch.optim.lr_scheduler.LinearLR"
            ) from error
