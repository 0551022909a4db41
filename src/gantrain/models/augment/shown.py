"""Augmentation of what the discriminator is shown: real and fake samples alike, in every turn and penalty."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from gantrain.data.batch import Batch
from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.losses.matching import FeatureMatching
from gantrain.models.family import Family
from gantrain.models.loop.batch import Scalars
from gantrain.run.checkpoint import Stateful


class Augment:
    """A member of `models.augment`: it changes samples by random numbers that are drawn before the iteration.

    It is differentiable any number of times, and does not make the host wait. Like an `ImagePool` it may have state, in
    tensors that a recorded iteration changes in place.
    """

    ranks: Sequence[int] = (2, 3)  # the spatial dimensions of samples that it accepts: 2 pictures, 3 volumes

    def drawn(self, game: Family, batch: Batch, like: Tensor, key: str) -> Tensor | None:
        """Its random numbers for samples shaped as `like` (n, ...), a row for each; None if it changes nothing now."""
        raise NotImplementedError

    def __call__(self, samples: Tensor, drawn: Tensor) -> Tensor:
        raise NotImplementedError

    def learn(self, real_logits: Tensor, batch: Batch, adversarial: AdversarialLoss, game: Family) -> Scalars:
        """Called in the discriminator's turn, once per microbatch, with the logits of its real samples; returns
        statistics of the turn."""
        return {}

    def check(self, key: str, adversarial: AdversarialLoss) -> None:
        """Raise UserError where it cannot work in this game."""


def uses_of(adversarial: AdversarialLoss, matching: FeatureMatching | None) -> Sequence[str]:
    """The uses of samples in an iteration, each of which has its own random numbers."""
    judged = ("real_generator",) if adversarial.relative or matching is not None else ()
    return ("real", "fake", "fake_generator", *judged)


class Shown:
    """The members of `models.augment`, one after the other; without any, samples are shown as they are.

    Every use draws its own numbers: `real` and `fake` in the discriminator's turn, others in the generator's. They join
    the batch as `augment.<member>.<use>`, so they belong to samples, however processes share them.
    """

    def __init__(self, members: Mapping[str, Any] | None):
        self.members = {name: member for name, member in (members or {}).items() if member is not None}
        for name, member in self.members.items():
            if not isinstance(member, Augment):
                raise ValueError(
                    f"augment.{name} is {member!r}, it must name a class of gantrain.models.augment "
                    f"with _target_, or be chosen, as models/augment=diffaugment is"
                )

    def keep(self, game: Any) -> None:
        """Let the game's checkpoints hold the state of the members that have some."""
        for name, member in self.members.items():
            if isinstance(member, Stateful):
                game.keep(f"augment.{name}", member, shared=True)

    def draw(self, game: Family, batch: Batch, uses: Mapping[str, Tensor]) -> Batch:
        """The random numbers of an iteration; `uses` has a sample batch of the right shape for each use."""
        given = {}
        for name, member in self.members.items():
            for use, like in uses.items():
                key = f"augment.{name}.{use}"
                drawn = member.drawn(game, batch, like, key)
                if drawn is not None:
                    given[key] = drawn
        return given

    def __call__(self, samples: Tensor, batch: Batch, use: str) -> Tensor:
        for name, member in self.members.items():
            drawn = batch.get(f"augment.{name}.{use}")
            if drawn is not None:
                samples = member(samples.float(), drawn)
        return samples

    def learn(self, real_logits: Tensor, batch: Batch, adversarial: AdversarialLoss, game: Family) -> Scalars:
        """Let the members adapt to the logits of real samples; returns their statistics."""
        learnt: Scalars = {}
        for name, member in self.members.items():
            stats = member.learn(real_logits.detach(), batch, adversarial, game)
            learnt |= {f"augment_{name}_{key}": value for key, value in stats.items()}
        return learnt

    def check(self, samples: Tensor, adversarial: AdversarialLoss) -> None:
        """Raise UserError where a member cannot work with these samples (n, c, ...) or this loss."""
        for name, member in self.members.items():
            key = f"models.augment.{name}"
            if samples.dim() - 2 not in member.ranks:
                raise UserError(
                    f"{key}: {type(member).__name__} changes pictures, and these data are none; leave it out "
                    f"(models/augment=none); networks.discriminator.shift moves volumes (networks=gan3d)"
                )
            member.check(key, adversarial)
