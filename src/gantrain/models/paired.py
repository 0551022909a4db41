"""Condition in, target out: super-resolution (Ledig et al. 2017), picture to picture (Isola et al. 2017)."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.models.base import Batch, GANModule, Scalars
from gantrain.models.modes import for_inference
from gantrain.networks.critique import logits_of


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
        adversarial_weight: float = 1.0,
        conditional: bool = False,
        **base: Any,
    ):
        super().__init__(**base)
        needed = ("generator",) if adversarial is None else ("generator", "discriminator")
        for name in needed:
            if name not in self.networks:
                raise UserError(f"networks.{name} is missing: the paired family needs {' and '.join(needed)}")
        for name in self.players:
            if name not in needed:
                raise UserError(
                    f"models.players.{name}: the paired family has the players {' and '.join(needed)}"
                    + ("; the discriminator needs losses.adversarial" if adversarial is None else "")
                )
        self.content, self.adversarial = content, adversarial
        self.adversarial_weight, self.conditional = adversarial_weight, conditional

    def shared(self, batch: Batch, playing: Sequence[str]) -> Tensor:
        with torch.set_grad_enabled("generator" in playing and torch.is_grad_enabled()):
            return self.networks["generator"](batch["cond"])

    def losses(self, name: str, batch: Batch, shared: Tensor) -> tuple[Scalars, Scalars]:
        real, cond = batch["real"], batch["cond"] if self.conditional else None
        if name == "generator":
            content = {"content": self.content(shared, real)}
            if self.adversarial is None:
                return content, {}
            adv = self.adversarial.generator(self.judge(shared, cond))
            return {**content, "adv": self.adversarial_weight * adv}, {}
        fake = shared.detach()
        real_logits, fake_logits = self.judge(real, cond), self.judge(fake, cond)
        terms = {
            "adv": self.adversarial.discriminator(real_logits, fake_logits),
            **self.penalise(name, self.judge, real, fake, cond),
        }
        right = [real_logits > self.adversarial.boundary, fake_logits < self.adversarial.boundary]
        return terms, {
            "real_logit": real_logits.mean(),
            "fake_logit": fake_logits.mean(),
            "accuracy": torch.cat([r.flatten() for r in right]).float().mean(),
        }

    def judge(self, targets: Tensor, cond: Tensor | None = None) -> Tensor:
        discriminator = self.networks["discriminator"]
        return logits_of(discriminator(targets) if cond is None else discriminator(targets, cond))

    def check(self, batch: Batch) -> None:
        real, cond = batch["real"][:1], batch["cond"][:1]
        way_out = "interpolate its options from data, as configs/networks does"
        with for_inference(self.networks["generator"]) as generator:
            try:
                made = generator(cond)
            except RuntimeError as error:
                raise UserError(
                    f"networks.generator does not take {tuple(cond.shape[1:])}, which data gives ({error}): {way_out}"
                ) from error
        if made.shape != real.shape:
            raise UserError(
                f"networks.generator makes {tuple(made.shape[1:])} of {tuple(cond.shape[1:])}, but data has targets of "
                f"{tuple(real.shape[1:])}: {way_out}"
            )
        if self.adversarial is not None:
            with for_inference(self.networks["discriminator"]):
                try:
                    self.judge(real, cond if self.conditional else None)
                except (RuntimeError, TypeError) as error:
                    raise UserError(
                        f"networks.discriminator does not take {tuple(real.shape[1:])}, which data gives ({error}): "
                        f"{way_out}"
                    ) from error
        with torch.no_grad():
            self.content(made, real)  # it loads its weights now, or says that there are none

    def translate(self, cond: Tensor, raw: bool = False) -> Tensor:
        """What the generator makes of conditions (n, ...), on the CPU; EMA weights unless `raw`."""
        with for_inference(self.best("generator", raw)) as generator:
            return generator(cond.to(self.device)).float().cpu()

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        return self.translate(batch["cond"])

    def networks_for_use(self) -> Sequence[str]:
        return ("generator",)
