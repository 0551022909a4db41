"""A checkpoint that goes on with the options of a config's optimizers, which may have changed since it was written."""

from collections.abc import Mapping
from typing import Any

import torch

from gantrain.models.base import GANModule


def following(state: Mapping[str, Any], module: GANModule, players: Mapping[str, Any]) -> dict[str, Any]:
    """`state` with what the config's `players` state of their optimizers; moments and counters stay.

    A schedule is played again from its start when the state is loaded.
    """
    optimizers = dict(state["optimizers"])
    for name, player in module.players.items():
        optimizer = player.optimizer([torch.nn.Parameter(torch.zeros(1, 1))])
        stated = {option for option in players[name]["optimizer"] if not option.startswith("_")}
        now = {option: value for option, value in optimizer.param_groups[0].items() if option in stated}
        groups = [{**group, **now} for group in optimizers[name]["param_groups"]]
        optimizers[name] = {**optimizers[name], "param_groups": groups}
    return {**state, "optimizers": optimizers}
