"""Condition in, target out: super-resolution (Ledig et al. 2017), picture to picture (Isola et al. 2017)."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from gantrain.checks import check_number
from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.losses.matching import FeatureMatching
from gantrain.models.adversary import check_matching, discriminator_turn, generator_turn, measured
from gantrain.models.base import GANModule
from gantrain.models.checks import check_networks, tried
from gantrain.models.loop.batch import Batch, Scalars
from gantrain.models.loop.eval_mode import for_inference
from gantrain.networks.critique import Critique, critique_of
from gantrain.networks.weights import FromFile


class ContentLoss(Protocol):
    """A weighted scalar of pictures that were made and what they should have been; `name` says which."""

    name: str

    def __call__(self, made: Tensor, real: Tensor) -> Tensor: ...


class PairedGAN(GANModule):
    """A generator from `cond` to `real`, led by a content loss and, where `adversarial` is given, a discriminator.

    The generator minimises content + `adversarial_weight` * adversarial; a loss of content has a weight of its own.
    With `conditional` the discriminator judges pairs, `discriminator(target, cond)`, else targets alone. Without
    `adversarial` the generator plays alone: the pixel-loss stage that comes before the game.
    """

    def __init__(
        self,
        *,
        content: ContentLoss,
        adversarial: AdversarialLoss | None = None,
        matching: FeatureMatching | None = None,
        adversarial_weight: float = 1.0,
        conditional: bool = False,
        **base: Any,
    ):
        check_number(adversarial_weight=adversarial_weight)
        plays: dict[str, Sequence[str]] = {"generator": ()}
        if adversarial is not None:
            plays["discriminator"] = measured(adversarial)
        elif "discriminator" in base["players"] or matching is not None:
            key = "losses.matching" if matching is not None else "models.players.discriminator"
            raise UserError(f"{key}: the discriminator needs losses.adversarial")
        super().__init__(plays=plays, **base)
        check_networks(self.networks, list(plays), "the paired family")
        self.content, self.adversarial, self.matching = content, adversarial, matching
        self.adversarial_weight, self.conditional = adversarial_weight, conditional

    def shared(self, batch: Batch, playing: Sequence[str]) -> Tensor:
        with torch.set_grad_enabled("generator" in playing and torch.is_grad_enabled()):
            return self.networks["generator"](batch["cond"])

    def losses(self, name: str, batch: Batch, shared: Tensor) -> tuple[Scalars, Scalars]:
        real, fake, cond = batch["real"], shared, self.cond(batch)
        if name == "discriminator":
            fake = fake.detach()
            terms, stats = discriminator_turn(self.adversarial, self.judge(real, *cond), self.judge(fake, *cond))
            return {**terms, **self.penalise(name, self.logits, batch, real, fake, *cond)}, stats
        terms = {"content": self.content(fake, real)}
        if self.adversarial is None:
            return terms, {}
        judged = self.judge(fake, *cond)
        game = generator_turn(self.adversarial, self.matching, judged, lambda: self.judge(real, *cond))
        return {**terms, **game, "adv": self.adversarial_weight * game["adv"]}, {}

    def cond(self, batch: Batch) -> tuple[Tensor, ...]:
        """What the discriminator takes after the target: the condition, or nothing."""
        return (batch["cond"],) if self.conditional else ()

    def judge(self, targets: Tensor, *cond: Tensor) -> Critique:
        return critique_of(self.networks["discriminator"](targets, *cond))

    def logits(self, targets: Tensor, *cond: Tensor) -> Tensor:
        return self.judge(targets, *cond).logits

    def check(self, batch: Batch) -> None:
        batch = {key: value[:1] for key, value in batch.items()}
        real, cond = batch["real"], batch["cond"]
        way_out = "interpolate its options from data, as configs/networks does"
        made = tried("generator", self.networks["generator"], cond, way_out=way_out)
        if made.shape != real.shape:
            raise UserError(
                f"networks.generator makes {tuple(made.shape[1:])} of {tuple(cond.shape[1:])}, but data has targets of "
                f"{tuple(real.shape[1:])}: {way_out}"
            )
        if self.adversarial is not None:
            judge = self.networks["discriminator"]
            check_matching(
                self.matching, critique_of(tried("discriminator", judge, real, *self.cond(batch), way_out=way_out))
            )
        with torch.no_grad():
            self.content(made, real)  # it loads its weights now, or says that there are none

    def from_files(self) -> Sequence[FromFile]:
        return [self.content] if isinstance(self.content, FromFile) else []

    def translate(self, cond: Tensor, raw: bool = False) -> Tensor:
        """What the generator makes of conditions (n, ...), on the CPU; EMA weights unless `raw`."""
        with for_inference(self.best("generator", raw)) as generator:
            return generator(cond.to(self.device)).float().cpu()

    def generator_to(self, side: str | None) -> str:
        """The network that translates a user's pictures. Raises UserError where a side is asked for."""
        if side is not None:
            raise UserError("--to: this run goes one way only; leave it out")
        return "generator"

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        return self.translate(batch["cond"])

    def networks_for_use(self) -> Sequence[str]:
        return ("generator",)
