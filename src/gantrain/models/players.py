"""Players: the networks that each trains, with which optimizer, how often and under which condition."""

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
    """Mark a method of a family as the turn of the player of the same name."""
    method.plays = True
    return method


def turns_of(family: type) -> list[str]:
    """The players of a family: the methods that are marked with `@plays`."""
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

    `optimizer` and `schedule` are callables (partials) that take the parameters and the optimizer. The schedule steps
    once per iteration. Options of the optimizer that are a `Ramp`, or contain one, such as `lr` and `betas`, change
    over the images seen; they are collected in `ramps`. The player plays every `every`-th iteration.
    `after_step(turn)` is called after its optimizer's step. `clip_gradients` limits the norm of its gradient.

    The player minimises `loss_factor` times its recorded losses and penalties. The factor is 2 where a source trains
    its discriminator in two steps of SGD, one on real and one on fake samples, and logs their mean. Adam and RMSprop
    take the same step whatever the factor is.
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
        """Set the optimizer's changing options to their present values; tensors are written in place."""
        for name, option in self.ramps.items():
            value = now(option, images_seen)
            for group in optimizer.param_groups:
                if torch.is_tensor(group[name]):
                    group[name].fill_(value)
                else:
                    group[name] = value


def ramps_in(option: Any) -> list[Ramp]:
    """The ramps in an option of an optimizer."""
    return [part for part in (option if isinstance(option, (list, tuple)) else [option]) if isinstance(part, Ramp)]


def now(option: Any, images_seen: int) -> Any:
    """The value of an option after `images_seen`."""
    if isinstance(option, (list, tuple)):
        return tuple(at(part, images_seen) for part in option)
    return at(option, images_seen)
