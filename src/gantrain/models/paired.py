"""Condition in, target out: super-resolution (Ledig et al. 2017), picture to picture (Isola et al. 2017)."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor

from gantrain.data.batch import Batch
from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.losses.holes import HoleDistance
from gantrain.losses.matching import FeatureMatching
from gantrain.losses.penalties import PenaltyInputs
from gantrain.models.adversary import (
    check_bounded,
    check_matching,
    discriminator_turn,
    draw_labels,
    generator_turn,
    measured,
)
from gantrain.models.augment.shown import Shown, uses_of
from gantrain.models.base import GANModule
from gantrain.models.checks import check_networks
from gantrain.models.judge import Judge
from gantrain.models.loop.batch import Scalars
from gantrain.models.loop.eval_mode import outputs
from gantrain.models.players import plays
from gantrain.networks.critique import Critique, critique_of
from gantrain.networks.frozen import Frozen


class ContentLoss(Protocol):
    """A weighted loss of made pictures and their targets; `name` is its name for people."""

    name: str

    __call__: Callable[..., Tensor]


class PairedGAN(Judge, GANModule):
    """A generator from `cond` to `real`, trained by a content loss and, if `adversarial` is given, a discriminator.

    The generator minimises content + `adversarial_weight` * adversarial; the content loss has its own weight. With
    `conditional` the discriminator judges pairs, `discriminator(target, cond)`, else only targets. Without
    `adversarial` the generator plays alone: the pixel-loss stage before the game. `augment` changes the real and made
    targets that the discriminator is shown, as in the latent family; it is refused for pairs, which would not fit.
    """

    verbs = ("features",)  # its data state the others
    has_targets = True
    fills_holes = False  # whether the content loss is told which pixels are missing

    def __init__(
        self,
        *,
        content: ContentLoss,
        adversarial: AdversarialLoss | None = None,
        matching: FeatureMatching | None = None,
        adversarial_weight: float = 1.0,
        conditional: bool = False,
        augment: Mapping[str, Any] | None = None,
        **base: Any,
    ):
        super().__init__(measures={"discriminator": measured(adversarial) if adversarial else ()}, **base)
        needed = ("generator",) if adversarial is None else ("generator", "discriminator")
        check_networks(self.networks, needed, "the paired family")
        if adversarial is None and ("discriminator" in self.players or matching is not None):
            key = "losses.matching" if matching is not None else "models.players.discriminator"
            raise UserError(f"{key}: the discriminator needs losses.adversarial")
        if isinstance(content, HoleDistance) and not self.fills_holes:
            raise UserError(
                "losses.content looks at holes, and this family fills none; choose models=inpainting with data of "
                "holes, such as data=holes_folder, or losses=pix2pix"
            )
        self.content, self.adversarial, self.matching = content, adversarial, matching
        self.adversarial_weight, self.conditional, self.shown = adversarial_weight, conditional, Shown(augment)
        self.shown.keep(self)

    def draw(self, batch: Batch) -> Batch:
        if self.adversarial is None:
            return {}
        uses = uses_of(self.adversarial, self.matching)
        return draw_labels(self, batch) | self.shown.draw(self, batch, dict.fromkeys(uses, batch["real"]))

    def shared(self, batch: Batch, playing: Sequence[str]) -> Tensor:
        with torch.set_grad_enabled("generator" in playing and torch.is_grad_enabled()):
            return self.make(batch)

    @plays
    def discriminator(self, batch: Batch, fakes: Tensor) -> tuple[Scalars, Scalars]:
        cond = self.discriminator_cond(batch)
        of_real = self.judge(self.shown(batch["real"], batch, "real"), *cond)
        of_fake = self.judge(self.shown(fakes.detach(), batch, "fake"), *cond)
        terms, stats = discriminator_turn(self.adversarial, of_real, of_fake, batch.get("labels.discriminator"))
        terms |= self.auxiliary_terms(of_real, batch)
        return terms, stats | self.shown.learn(of_real.logits, batch, self.adversarial, self)

    @plays
    def generator(self, batch: Batch, fakes: Tensor) -> tuple[Scalars, Scalars]:
        terms, cond = {"content": self.content_of(batch, fakes)}, self.discriminator_cond(batch)
        if self.adversarial is None:
            return terms, {}
        of_fake = self.judge(self.shown(fakes, batch, "fake_generator"), *cond)
        judge_real, labels = partial(self.judge_real, batch), batch.get("labels.generator")
        game = generator_turn(self.adversarial, self.matching, of_fake, judge_real, self.adversarial_weight, labels)
        return {**terms, **game}, {}

    def penalised(self, name: str, batch: Batch, fakes: Tensor) -> dict[str, PenaltyInputs]:
        if name == "generator":
            return {"": PenaltyInputs(self.networks["generator"], batch["cond"], batch["cond"])}
        cond = self.discriminator_cond(batch)
        return {"": PenaltyInputs(partial(self.logits, batch), batch["real"], fakes.detach(), *cond)}

    def auxiliary_terms(self, of_real: Critique, batch: Batch) -> Scalars:
        """Further terms of the discriminator for its output on real targets."""
        return {}

    def make(self, batch: Batch) -> Tensor:
        """The generator's output for a batch, in its present mode."""
        return self.networks["generator"](batch["cond"])

    def content_of(self, batch: Batch, made: Tensor) -> Tensor:
        """The content loss of the pictures made for a batch."""
        return self.content(made, batch["real"])

    def discriminator_cond(self, batch: Batch) -> tuple[Tensor, ...]:
        """The discriminator's inputs after the target: the condition, or nothing."""
        return (batch["cond"],) if self.conditional else ()

    def made(self, batch: Batch, generator: torch.Generator) -> Batch:
        return {"real": self.make(batch)}

    def inputs_of(self, name: str, batch: Batch) -> tuple[Tensor, ...] | None:
        if name == "discriminator" and self.adversarial is not None:
            return batch["real"], *self.discriminator_cond(batch)
        return (batch["cond"],) if name == "generator" else None

    def target_of(self, name: str, batch: Batch) -> Tensor | None:
        return batch["real"] if name == "generator" else None

    def check(self, batch: Batch) -> dict[str, Any]:
        if self.conditional and self.shown.members:
            raise UserError(
                "models.augment changes targets and not their conditions, so pairs would no longer fit; take "
                "models/augment=none, or models.conditional=false"
            )
        given = super().check(batch)
        if self.adversarial is not None:
            self.shown.check(batch["real"], self.adversarial)
            check_bounded(self, self.adversarial, "discriminator")
            check_matching(self.matching, critique_of(given["discriminator"]))
        one = {key: value[:1] for key, value in batch.items()}
        with torch.no_grad():
            self.content_of(one, one["real"])  # so that its weights are loaded, or missed, now
        return given

    def from_files(self) -> Sequence[Frozen]:
        return [self.content] if isinstance(self.content, Frozen) else []

    def translate(self, cond: Tensor, raw: bool = False) -> Tensor:
        """The generator's outputs for conditions (n, ...), on the CPU; EMA weights unless `raw`."""
        return outputs(self.averaged("generator", raw), cond, device=self.device, chunk=len(cond))

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        return self.translate(batch["cond"])

    def networks_for_use(self) -> Sequence[str]:
        return ("generator",)
