"""Noise to samples, of a class where asked: Goodfellow et al. 2014, Mirza and Osindero 2014; for data of any rank."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.models.base import Batch, GANModule, Scalars
from gantrain.models.modes import for_inference, outputs
from gantrain.networks.critique import logits_of


class LatentGAN(GANModule):
    """A generator of latents (n, z_dim) against a discriminator of samples.

    Latents are normal with deviation `z_std`. One generator pass in train mode serves both turns of an iteration;
    with `fresh_noise` the generator's turn draws new latents and makes a pass of its own.

    With `classes` the game is conditional (cGAN): both networks take the class numbers `cond` (n,) of the real samples
    as their second argument; with `fresh_noise` the generator's turn draws classes as well, all equally likely.
    """

    def __init__(
        self,
        *,
        adversarial: AdversarialLoss,
        z_std: float = 1.0,
        fresh_noise: bool = False,
        classes: int | None = None,
        **base: Any,
    ):
        super().__init__(**base)
        for name in ("generator", "discriminator"):
            if name not in self.networks:
                raise UserError(f"networks.{name} is missing: the latent family needs generator and discriminator")
        self.adversarial, self.z_std, self.fresh_noise, self.classes = adversarial, z_std, fresh_noise, classes
        norms = [m for m in self.networks["discriminator"].modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        if self.penalties and norms:
            raise UserError(
                f"losses.penalties ({', '.join(self.penalties)}) with batch norm in networks.discriminator: batch norm "
                f"ties the samples of a batch together, so a per-sample gradient means nothing; set its norm to false"
            )

    @property
    def z_dim(self) -> int:
        return self.networks["generator"].z_dim

    def draw(self, batch: Batch) -> Batch:
        drawn = {"z": self.z_std * self.noise(batch, self.z_dim, key="z")}
        if self.fresh_noise:
            drawn["z_generator"] = self.z_std * self.noise(batch, self.z_dim, key="z_generator")
            if self.classes:
                drawn["cond_generator"] = self.integers(batch, self.classes, key="cond_generator")
        return drawn

    def shared(self, batch: Batch, playing: Sequence[str]) -> Tensor:
        reused = "generator" in playing and not self.fresh_noise
        with torch.set_grad_enabled(reused and torch.is_grad_enabled()):
            return self.networks["generator"](batch["z"], *self.cond(batch))

    def losses(self, name: str, batch: Batch, shared: Tensor) -> tuple[Scalars, Scalars]:
        if name == "discriminator":
            real, fake, cond = batch["real"], shared.detach(), self.cond(batch)
            real_logits, fake_logits = self.judge(real, *cond), self.judge(fake, *cond)
            adv = self.adversarial.discriminator(real_logits, fake_logits)
            terms = {"adv": adv, **self.penalise(name, self.judge, real, fake, *cond)}
            right = [real_logits > self.adversarial.boundary, fake_logits < self.adversarial.boundary]
            return terms, {
                "real_logit": real_logits.mean(),
                "fake_logit": fake_logits.mean(),
                "accuracy": torch.cat([r.flatten() for r in right]).float().mean(),
            }
        if name == "generator":
            fake, cond = shared, self.cond(batch)
            if self.fresh_noise:
                cond = self.cond(batch, "cond_generator")
                fake = self.networks["generator"](batch["z_generator"], *cond)
            return {"adv": self.adversarial.generator(self.judge(fake, *cond))}, {}
        raise UserError(f"models.players.{name}: the latent family has the players discriminator and generator")

    def cond(self, batch: Batch, key: str = "cond") -> tuple[Tensor, ...]:
        """What the networks take after the latent or the sample: the class numbers, or nothing."""
        return (batch[key],) if self.classes else ()

    def judge(self, samples: Tensor, *cond: Tensor) -> Tensor:
        return logits_of(self.networks["discriminator"](samples, *cond))

    def check(self, batch: Batch) -> None:
        real = batch["real"]
        if self.classes and "cond" not in batch:
            raise UserError("models.classes: the data have no classes; leave it null, or choose data that have some")
        cond = self.cond({key: value[:1] for key, value in batch.items()})
        with for_inference(self.networks["generator"]) as generator:
            made = generator(torch.zeros(1, self.z_dim, device=real.device), *cond).shape[1:]
        if made != real.shape[1:]:
            raise UserError(
                f"networks.generator makes {tuple(made)} but data gives {tuple(real.shape[1:])}: "
                f"interpolate its size and channels from data.size and data.channels"
            )
        with for_inference(self.networks["discriminator"]) as discriminator:
            try:
                discriminator(real[:1], *cond)
            except RuntimeError as error:
                raise UserError(
                    f"networks.discriminator does not take {tuple(real.shape[1:])}, which data gives ({error}): "
                    f"interpolate its size and channels from data.size and data.channels"
                ) from error

    def latents(self, n: int, generator: torch.Generator, truncation: float | None = None) -> Tensor:
        """`n` latents from a CPU generator, so that a seed means the same pictures on every device.

        With `truncation` their normal is cut at so many deviations (Brock et al. 2019, arXiv 1809.11096).
        """
        return self.z_std * normal_latents(n, self.z_dim, generator, truncation)

    def generate(self, z: Tensor, cond: Tensor | None = None, raw: bool = False, chunk: int = 250) -> Tensor:
        """Samples in the data's range, on the CPU, from latents of any number; EMA weights unless `raw`.

        A conditional game makes those of the classes `cond` (n,), by default 0, 1, 2, ... in turn.
        """
        inputs = [z]
        if self.classes:
            inputs.append(torch.arange(len(z)) % self.classes if cond is None else cond)
        return outputs(self.best("generator", raw), *inputs, device=self.device, chunk=chunk)

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        z = self.latents(len(batch["real"]), generator)
        if self.classes:  # every latent in all classes, side by side
            z = z[: max(1, len(z) // self.classes)].repeat_interleave(self.classes, 0)
        return self.generate(z)

    @property
    def preview_columns(self) -> int | None:
        return self.classes

    def networks_for_use(self) -> Sequence[str]:
        return ("generator",)


def normal_latents(n: int, z_dim: int, generator: torch.Generator, truncation: float | None = None) -> Tensor:
    """Standard normal latents (n, z_dim) from a CPU generator, where asked cut at `truncation` deviations."""
    if truncation is None:
        return torch.randn(n, z_dim, generator=generator)
    return torch.nn.init.trunc_normal_(torch.empty(n, z_dim), a=-truncation, b=truncation, generator=generator)
