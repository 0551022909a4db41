"""Who plays: the networks a player trains, how, how often and on which condition."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gantrain.checks import check_positive, check_whole
from gantrain.models.loop.turn import Turn
from gantrain.ramps import Ramp, at, check_ramp


def plays(method: Any) -> Callable[..., Any]:
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
    Options of the optimizer that are a `Ramp`, or hold one, as `lr` and `betas`, change over the images seen: `ramps`.
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
    ramps: dict[str, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        check_whole(1, every=self.every)
        if not isinstance(self.plays_when, PlaysWhen | None):
            raise ValueError(f"plays_when is {self.plays_when!r}, it must name a PlaysWhen with _target_")
        check_positive(clip_gradients=self.clip_gradients, loss_factor=self.loss_factor)
        options = getattr(self.optimizer, "keywords", {})
        self.ramps = {name: option for name, option in options.items() if ramps_in(option)}
        for name, option in self.ramps.items():
            check_ramp(**{f"optimizer.{name}": ramp for ramp in ramps_in(option)})
        if any(max(ramp.first, ramp.last) >= 1 for ramp in ramps_in(self.ramps.get("betas"))):
            raise ValueError("optimizer.betas reaches 1, it must stay below")
        if "lr" in self.ramps and self.schedule is not None:
            raise ValueError("optimizer.lr changes over the images seen and schedule over iterations; leave one out")
        if self.ramps:
            self.optimizer = functools.partial(self.optimizer, **{n: now(o, 0) for n, o in self.ramps.items()})

    def move(self, optimizer: Optimizer, images_seen: int) -> None:
        """Give the optimizer the values that its changing options have now; tensors keep their place."""
        for name, option in self.ramps.items():
            value = now(option, images_seen)
            for group in optimizer.param_groups:
                if torch.is_tensor(group[name]):
                    group[name].fill_(value)
                else:
                    group[name] = value


def ramps_in(option: Any) -> list[Ramp]:
    """The numbers of an optimizer's option that change."""
    return [part for part in (option if isinstance(option, (list, tuple)) else [option]) if isinstance(part, Ramp)]


def now(option: Any, images_seen: int) -> Any:
    """An option's value at this point of training."""
    if isinstance(option, (list, tuple)):
        return tuple(at(part, images_seen) for part in option)
    return at(option, images_seen)
