"""What a discriminator is shown in the place of samples, real and fake alike, in every turn and every penalty."""

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

    It is differentiable to any order, and the host waits for nothing in it. Like an `ImagePool` it may hold state, as
    tensors that a recorded iteration changes in place.
    """

    ranks: Sequence[int] = (2, 3)  # of the samples that it takes: 2 is a picture, 3 a volume

    def drawn(self, game: Family, batch: Batch, like: Tensor, key: str) -> Tensor | None:
        """Its random numbers for samples as `like` (n, ...), a row for each; None where it now changes nothing."""
        raise NotImplementedError

    def __call__(self, samples: Tensor, drawn: Tensor) -> Tensor:
        raise NotImplementedError

    def learn(self, real_logits: Tensor, batch: Batch, adversarial: AdversarialLoss, game: Family) -> Scalars:
        """Called in the discriminator's turn, once for each part of it, with its logits on the real samples of `batch`;
        gives statistics of that turn."""
        return {}

    def check(self, key: str, adversarial: AdversarialLoss) -> None:
        """Raise UserError where it cannot work in this game."""


def uses_of(adversarial: AdversarialLoss, matching: FeatureMatching | None) -> Sequence[str]:
    """Which samples are shown in an iteration, each use with random numbers of its own."""
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
        """Save the state of the members that have some with the game's."""
        for name, member in self.members.items():
            if isinstance(member, Stateful):
                game.keep(f"augment.{name}", member, shared=True)

    def draw(self, game: Family, batch: Batch, uses: Mapping[str, Tensor]) -> Batch:
        """The random numbers of an iteration; `uses` are samples of the shape that will be shown, by use."""
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
        """Let the members learn from logits on real samples; gives their statistics."""
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
