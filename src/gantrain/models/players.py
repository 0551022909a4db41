"""Who plays: the networks a player trains, how, how often and on which condition."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gantrain.checks import check_positive, check_whole
from gantrain.models.loop.turn import Turn


def plays(method: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a method of a family as the turn of the player that it is called after."""
    method.plays = True
    return method


def turns_of(family: type) -> list[str]:
    """The players that a family knows."""
    return [name for name in dir(family) if getattr(getattr(family, name, None), "plays", False) is True]


class PlaysWhen:
    """A player's turn is played only while its `statistic` was under `below` in the iteration before.

    Wu et al. 2016 (3D-GAN) update the discriminator only while its batch accuracy is under 0.8.
    """

    def __init__(self, statistic: str, below: float):
        self.statistic, self.below = statistic, below

    def __call__(self, value: float | None) -> bool:
        return value is None or value < self.below


class ClipWeights:
    """Clamp every weight to [-limit, limit] after each step: the critic of WGAN (Arjovsky et al. 2017, algorithm 1)."""

    capturable = True

    def __init__(self, limit: float):
        check_positive(limit=limit)
        self.limit = limit

    @torch.no_grad()
    def __call__(self, turn: Turn) -> None:
        for network in turn.networks:
            for weight in network.parameters():
                weight.clamp_(-self.limit, self.limit)


@dataclass
class Player:
    """One side of the game.

    `optimizer` and `schedule` wait for their parameters and their optimizer. The schedule steps once an iteration.
    The player plays every `every`-th iteration. `after_step(turn)` follows its optimizer's step.
    `clip_gradients` bounds the norm of its gradient. It minimises `loss_factor` times its losses as they are recorded,
    penalties too: 2 for a discriminator that a listing trains in two steps of SGD, on real and on fake samples, and
    whose mean it logs. Adam and RMSprop take the same step whatever the factor, and two steps of theirs go further.
    """

    networks: list[str]
    optimizer: Callable[[Iterable[nn.Parameter]], Optimizer]
    schedule: Callable[[Optimizer], LRScheduler] | None = None
    every: int = 1
    plays_when: PlaysWhen | None = None
    after_step: Callable[[Turn], None] | None = None
    clip_gradients: float | None = None
    loss_factor: float = 1.0

    def __post_init__(self) -> None:
        check_whole(1, every=self.every)
        if not isinstance(self.plays_when, PlaysWhen | None):
            raise ValueError(f"plays_when is {self.plays_when!r}, it must name a PlaysWhen with _target_")
        check_positive(clip_gradients=self.clip_gradients, loss_factor=self.loss_factor)
