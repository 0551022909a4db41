"""The losses of both sides of an adversarial game, shared by all families with a discriminator."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.batch import Batch
from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.losses.matching import FeatureMatching
from gantrain.models.base import GANModule
from gantrain.models.family import Family
from gantrain.models.loop.batch import Scalars
from gantrain.models.players import ClipWeights
from gantrain.networks.critique import Critique
from gantrain.networks.minibatch import MinibatchDiscrimination
from gantrain.networks.spectral import is_bounded
from gantrain.ramps import at


class TopK:
    """The generator learns only from the fakes with the highest logits (Sinha et al. 2020, arXiv 2002.06224).

    Their share of the batch begins at 1, is multiplied by `decay` after every `images` seen (an epoch in the paper),
    and ends at `least`. Each process and each microbatch chooses among its own fakes.
    """

    def __init__(self, decay: float = 0.99, images: int = 50_000, least: float = 0.5):
        check_whole(1, images=images)
        for name, share in (("decay", decay), ("least", least)):
            if not 0 < share <= 1:
                raise ValueError(f"{name} is {share}, it must be above 0 and at most 1")
        self.decay, self.images, self.least = decay, images, least

    def share(self, images_seen: int) -> float:
        return max(self.decay ** (images_seen // self.images), self.least)

    def share_for(self, samples: Tensor, images_seen: int) -> Tensor:
        """The present share, repeated for each sample: an iteration takes it from the batch, as it reads no counter."""
        return torch.full((len(samples),), self.share(images_seen), device=samples.device)

    def best(self, logits: Tensor, share: Tensor) -> Tensor:
        """The logits (n, ...) with unchanged values, and a gradient for the best samples only.

        The gradient of their mean equals that of the mean over the best `share` (n,), which holds one number n times.
        """
        n = len(logits)
        ranks = logits.detach().float().reshape(n, -1).mean(1).argsort(descending=True).argsort()
        count = (share[0] * n).round().clamp(min=1)
        part = torch.where(ranks < count, n / count, 0.0).view(-1, *[1] * (logits.dim() - 1)).to(logits.dtype)
        return logits.detach() + part * (logits - logits.detach())


def consistent(before: Tensor, after: Tensor) -> Tensor:
    """The mean squared difference between the logits of samples `before` and `after` augmentation."""
    return (before.float() - after.float()).square().mean()


def draw_labels(game: Family, batch: Batch, sides: Sequence[str] = ("",)) -> Batch:
    """The random numbers for the labels of both turns, `discriminator` and `generator`, separately for each side."""
    return {
        f"labels.{turn}{side}": game.uniform(batch, count, key=f"labels.{turn}{side}")
        for turn, count in game.adversarial.draws.items()
        for side in sides
    }


def discriminator_turn(
    adversarial: AdversarialLoss, real: Critique, fake: Critique, labels: Tensor | None = None
) -> tuple[Scalars, Scalars]:
    """The discriminator's adversarial term and the statistics of its turn; `labels` are random numbers."""
    drawn = () if labels is None else (labels,)
    terms = {"adv": adversarial.discriminator(real.logits, fake.logits, *drawn)}
    return terms, statistics(adversarial, real.logits, fake.logits)


def generator_turn(
    adversarial: AdversarialLoss,
    matching: FeatureMatching | None,
    fake: Critique,
    judge_real: Callable[[], Critique],
    weight: float = 1.0,
    labels: Tensor | None = None,
) -> Scalars:
    """The generator's terms; the adversarial one is multiplied by `weight`. `labels` are random numbers.

    `judge_real` is called, without gradient, only if a loss compares fakes with real samples.
    """
    drawn = {} if labels is None else {"drawn": labels}
    if not adversarial.relative and matching is None:
        return {"adv": weight * adversarial.generator(fake.logits, **drawn)}
    with torch.no_grad():
        real = judge_real()
    terms = {"adv": weight * adversarial.generator(fake.logits, real.logits, **drawn)}
    if matching is not None:
        terms["matching"] = matching(fake.features, real.features)
    return terms


def statistics(adversarial: AdversarialLoss, real_logits: Tensor, fake_logits: Tensor) -> Scalars:
    """The mean logits, and the accuracy of the discriminator. Losses without a `boundary` have no accuracy; then it is
    the distance of the mean logits, for WGAN its estimate of the Wasserstein distance.
    """
    real_logits, fake_logits = real_logits.float(), fake_logits.float()
    means = {"real_logit": real_logits.mean(), "fake_logit": fake_logits.mean()}
    if adversarial.boundary is None:
        return {**means, "distance": means["real_logit"] - means["fake_logit"]}
    right = [real_logits > adversarial.boundary, fake_logits < adversarial.boundary]
    return {**means, "accuracy": torch.cat([r.flatten() for r in right]).float().mean()}


def measured(adversarial: AdversarialLoss) -> list[str]:
    """The names of the statistics of a discriminator's turn."""
    return list(statistics(adversarial, torch.zeros(1), torch.zeros(1)))


def check_bounded(module: GANModule, adversarial: AdversarialLoss, player: str) -> None:
    """Raise UserError for a critic with an unbounded loss and without a penalty, clipping or spectral norm."""
    critic = module.players.get(player)
    if not adversarial.needs_bound or critic is None or isinstance(critic.after_step, ClipWeights):
        return
    bounds = [p for p in module.penalties.values() if p.is_of(player) and p.looks_at == "samples"]
    if any(at(penalty.weight, 0) > 0 for penalty in bounds):
        return
    for name in critic.networks:
        if not is_bounded(module.networks[name]):
            compares = any(isinstance(part, MinibatchDiscrimination) for part in module.networks[name].modules())
            alone = ", and no minibatch discrimination, whose slope it leaves free" if compares else ""
            raise UserError(
                f"losses.adversarial is {type(adversarial).__name__}, and nothing bounds the slope of networks.{name}: "
                f"its loss would fall without end and mean nothing. Take a penalty (losses=wasserstein_gp, without "
                f"batch norm), clipped weights ('models.players.{player}.after_step="
                f"{{_target_: {ClipWeights.__module__}.ClipWeights, limit: 0.01}}'), or spectral norm "
                f"(networks.{name}.spectral=true, an option of networks=dcgan{alone})"
            )


def check_matching(matching: FeatureMatching | None, judged: Critique) -> None:
    """Raise UserError where the discriminator does not give the features that feature matching uses."""
    if matching is None:
        return
    have = len(judged.features)
    if not have:
        raise UserError(
            "losses.matching: networks.discriminator gives no features; set networks.discriminator.features=true, or "
            "choose one that has that option, as those of networks=dcgan and mlp"
        )
    if not -have <= matching.layer < have:
        raise UserError(f"losses.matching.layer is {matching.layer}, but networks.discriminator gives {have} features")


def check_auxiliary_head(judged: Critique, size: int) -> None:
    """Raise UserError where a discriminator's auxiliary output does not have `size` numbers."""
    said = 0 if judged.auxiliary is None else judged.auxiliary.shape[1]
    if said != size:
        raise UserError(
            f"losses.auxiliary asks {size} numbers of networks.discriminator beside its logits, it says {said}; set "
            f"networks.discriminator.auxiliary={size}, or choose one that has that option, as those of networks=dcgan "
            f"and mlp"
        )
