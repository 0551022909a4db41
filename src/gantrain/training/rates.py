"""A checkpoint that goes on with the rates and schedules of a config, which may have changed since it was written."""

import warnings
from collections.abc import Mapping
from typing import Any

import torch

from gantrain.models.base import GANModule
from gantrain.run.checkpoint import plain_schedule


def following(state: Mapping[str, Any], module: GANModule, players: Mapping[str, Any]) -> dict[str, Any]:
    """`state` with the rates that the config's `players` have after its iterations; moments and counters stay.

    A schedule is played again from its start, so that an unchanged one gives the same bits.
    """
    optimizers, schedules = dict(state["optimizers"]), {}
    for name, player in module.players.items():
        optimizer = player.optimizer([torch.nn.Parameter(torch.zeros(1, 1))])
        stated = {option for option in players[name]["optimizer"] if not option.startswith("_")}
        if player.schedule is not None:
            schedule = player.schedule(optimizer)
            with warnings.catch_warnings(action="ignore"):  # that its optimizer does not step
                for _ in range(state["iteration"]):
                    schedule.step()
            schedules[name] = plain_schedule(schedule)
            stated |= {"lr", "initial_lr"}
        now = {option: value for option, value in optimizer.param_groups[0].items() if option in stated}
        groups = [{**group, **now} for group in optimizers[name]["param_groups"]]
        optimizers[name] = {**optimizers[name], "param_groups": groups}
    return {**state, "optimizers": optimizers, "schedules": schedules}
