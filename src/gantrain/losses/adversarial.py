"""Adversarial losses: functions of the discriminator's logits on real and fake samples, one for each player.

Each class has `discriminator(real_logits, fake_logits)` and `generator(fake_logits, real_logits)`: means over all
logits (a patch critic gives a map of them), computed in float32. `boundary` is the logit at which the discriminator is
undecided, None where only differences of logits have a meaning. `relative` says whether the generator's loss needs the
real logits. `needs_bound` says whether the loss is unbounded unless something bounds the discriminator's slope.
`draws` says how many random numbers in [0, 1) each method needs per sample. They are its last argument, `drawn`
(n, count); methods that need none are called without it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Target = float | tuple[float, float]  # fixed, or drawn uniformly from [low, high) for every sample


class AdversarialLoss:
    draws: Mapping[str, int] = {}
    boundary: float | None = 0.0
    relative = False
    needs_bound = False

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        raise NotImplementedError

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """Minus the mean logit of the fakes: it has no lower bound."""
        return -fake_logits.float().mean()


def is_range(target: Target) -> bool:
    return not isinstance(target, (int, float))


def targets_like(logits: Tensor, target: Target, drawn: Tensor | None = None) -> Tensor:
    """Targets shaped like `logits`: fixed (label smoothing, Salimans et al. 2016), or noisy labels by `drawn`."""
    if isinstance(target, (int, float)):
        return torch.full_like(logits, target)
    low, high = target
    return (low + (high - low) * drawn).expand_as(logits)


def by_decision(drawn: Tensor, logits: Tensor) -> Tensor:
    """The numbers (n, k) of samples as k tensors that fit their logits; a pack of samples takes those of its first."""
    of_each = drawn[:: len(drawn) // len(logits)]
    return of_each.T.reshape(-1, len(logits), *[1] * (logits.dim() - 1))


def middle(target: Target) -> float:
    return target if isinstance(target, (int, float)) else sum(target) / 2


class _WithTargets(AdversarialLoss):
    """Shared by losses that compare logits with a target value for real and one for fake samples.

    `combine` says whether the discriminator's loss is the sum or the mean of its real and its fake term. `flip` is the
    share of samples whose label is flipped in the discriminator's loss. All logits of a sample, or of a pack, have the
    same label.
    """

    distance: Callable[..., Tensor]  # between logits and targets

    def __init__(
        self,
        real: Target = 1.0,
        fake: Target = 0.0,
        generator: Target = 1.0,
        combine: Literal["sum", "mean"] = "sum",
        flip: float = 0.0,
    ):
        if not 0 <= flip < 0.5:
            raise ValueError(
                f"flip is {flip}, it must be 0 or more and below 0.5: from there on labels say the opposite"
            )
        for target in (real, fake, generator):
            if not isinstance(target, (int, float)) and target[0] >= target[1]:
                raise ValueError(f"a range of targets is [low, high], not {list(target)}")
        self.real, self.fake, self.target, self.flip = real, fake, generator, flip
        self.scale = 1.0 if combine == "sum" else 0.5

    @property
    def draws(self) -> Mapping[str, int]:
        """The discriminator takes three for real and three for fake: target, whether flipped, the flipped target."""
        of_discriminator = self.flip or is_range(self.real) or is_range(self.fake)
        wanted = {"discriminator": 6 if of_discriminator else 0, "generator": 1 if is_range(self.target) else 0}
        return {method: count for method, count in wanted.items() if count}

    def to_target(self, logits: Tensor, target: Target, drawn: Tensor | None, other: Target | None = None) -> Tensor:
        """The distance of the logits to `target`; with an `other` target, the share `flip` of samples takes that."""
        logits = logits.float()
        if drawn is None:
            return self.distance(logits, targets_like(logits, target))
        drawn = by_decision(drawn, logits)
        targets = targets_like(logits, target, drawn[0])
        if other is not None and self.flip:
            targets = torch.where(drawn[1] < self.flip, targets_like(logits, other, drawn[2]), targets)
        return self.distance(logits, targets)

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor, drawn: Tensor | None = None) -> Tensor:
        of_real, of_fake = (None, None) if drawn is None else drawn.split(3, 1)
        real = self.to_target(real_logits, self.real, of_real, self.fake)
        return self.scale * (real + self.to_target(fake_logits, self.fake, of_fake, self.real))

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None, drawn: Tensor | None = None) -> Tensor:
        return self.to_target(fake_logits, self.target, drawn)


class NonSaturating(_WithTargets):
    """Binary cross-entropy; the generator maximises log D(G(z)) (Goodfellow et al. 2014, section 3)."""

    distance = staticmethod(F.binary_cross_entropy_with_logits)

    def __init__(self, real: Target = 1.0, fake: Target = 0.0, generator: Target = 1.0, **options: Any):
        for name, target in (("real", real), ("fake", fake), ("generator", generator)):
            low, high = (target, target) if isinstance(target, (int, float)) else target
            if low < 0 or high > 1:
                raise ValueError(f"{name} is {target}, it must lie between 0 and 1: a loss beyond has no least value")
        super().__init__(real=real, fake=fake, generator=generator, **options)


class Minimax(NonSaturating):
    """Binary cross-entropy; the generator minimises log(1 - D(G(z))) (Goodfellow et al. 2014, equation 1)."""

    def __init__(
        self, real: Target = 1.0, fake: Target = 0.0, combine: Literal["sum", "mean"] = "sum", flip: float = 0.0
    ):
        super().__init__(real=real, fake=fake, combine=combine, flip=flip)

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None, drawn: Tensor | None = None) -> Tensor:
        return -F.softplus(fake_logits.float()).mean()  # log(1 - sigmoid(x)) = -softplus(x)


class LeastSquares(_WithTargets):
    """Squared distance of the raw outputs to their targets (Mao et al. 2017, equation 9, without its factor 1/2)."""

    distance = staticmethod(F.mse_loss)

    @property
    def boundary(self) -> float:
        return (middle(self.real) + middle(self.fake)) / 2


class Wasserstein(AdversarialLoss):
    """The critic's mean logit on fake samples minus that on real ones (WGAN, Arjovsky et al. 2017, equations 2 and 3).

    It needs a critic with a bounded slope: by clipped weights, a gradient penalty or spectral norm.
    """

    boundary = None
    needs_bound = True

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return fake_logits.float().mean() - real_logits.float().mean()


class Hinge(AdversarialLoss):
    """Hinge loss with a margin of 1 (Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17)."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return F.relu(1 - real_logits.float()).mean() + F.relu(1 + fake_logits.float()).mean()


class Relativistic(AdversarialLoss):
    """Binary cross-entropy on the difference of a real and a fake logit (RSGAN, Jolicoeur-Martineau 2018).

    The samples of a batch are paired in order. It is also the loss of R3GAN (Huang et al. 2024, equation 2).
    """

    boundary = None
    relative = True

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return F.softplus(fake_logits.float() - real_logits.float()).mean()

    def generator(self, fake_logits: Tensor, real_logits: Tensor) -> Tensor:
        return self.discriminator(fake_logits, real_logits)  # the same with the two kinds swapped


class RelativisticAverage(Relativistic):
    """As `Relativistic`, each sample against the mean logit of the other kind (RaSGAN, Jolicoeur-Martineau 2018)."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        real, fake = real_logits.float(), fake_logits.float()
        return F.softplus(fake.mean() - real).mean() + F.softplus(fake - real.mean()).mean()
