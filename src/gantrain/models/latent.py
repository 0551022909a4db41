"""Noise to samples: the game of Goodfellow et al. 2014, for networks and data of any rank."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.models.base import Batch, GANModule, Scalars, for_inference
from gantrain.networks.critique import logits_of


class LatentGAN(GANModule):
    """A generator of latents (n, z_dim) against a discriminator of samples.

    Latents are normal with deviation `z_std`. One generator pass in train mode serves both turns of an iteration;
    with `fresh_noise` the generator's turn draws new latents and makes a pass of its own.
    """

    conditional = False  # whether `generate` wants class numbers `cond` as well

    def __init__(self, *, adversarial: AdversarialLoss, z_std: float = 1.0, fresh_noise: bool = False, **base: Any):
        super().__init__(**base)
        for name in ("generator", "discriminator"):
            if name not in self.networks:
                raise UserError(f"networks.{name} is missing: the latent family needs generator and discriminator")
        self.adversarial, self.z_std, self.fresh_noise = adversarial, z_std, fresh_noise
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
        latents = {"z": self.z_std * self.noise(batch, self.z_dim, key="z")}
        if self.fresh_noise:
            latents["z_generator"] = self.z_std * self.noise(batch, self.z_dim, key="z_generator")
        return latents

    def shared(self, batch: Batch, playing: Sequence[str]) -> Tensor:
        reused = "generator" in playing and not self.fresh_noise
        with torch.set_grad_enabled(reused and torch.is_grad_enabled()):
            return self.networks["generator"](batch["z"])

    def losses(self, name: str, batch: Batch, shared: Tensor) -> tuple[Scalars, Scalars]:
        if name == "discriminator":
            real, fake = batch["real"], shared.detach()
            real_logits, fake_logits = self.judge(real), self.judge(fake)
            adv = self.adversarial.discriminator(real_logits, fake_logits)
            terms = {"adv": adv, **self.penalise(name, self.judge, real, fake)}
            right = [real_logits > self.adversarial.boundary, fake_logits < self.adversarial.boundary]
            return terms, {
                "real_logit": real_logits.mean(),
                "fake_logit": fake_logits.mean(),
                "accuracy": torch.cat([r.flatten() for r in right]).float().mean(),
            }
        if name == "generator":
            fake = self.networks["generator"](batch["z_generator"]) if self.fresh_noise else shared
            return {"adv": self.adversarial.generator(self.judge(fake))}, {}
        raise UserError(f"models.players.{name}: the latent family has the players discriminator and generator")

    def judge(self, samples: Tensor) -> Tensor:
        return logits_of(self.networks["discriminator"](samples))

    def check(self, batch: Batch) -> None:
        real = batch["real"]
        with for_inference(self.networks["generator"]) as generator:
            made = generator(torch.zeros(1, self.z_dim, device=real.device)).shape[1:]
        if made != real.shape[1:]:
            raise UserError(
                f"networks.generator makes {tuple(made)} but data gives {tuple(real.shape[1:])}: "
                f"interpolate its size and channels from data.size and data.channels"
            )
        with for_inference(self.networks["discriminator"]) as discriminator:
            try:
                discriminator(real[:1])
            except RuntimeError as error:
                raise UserError(
                    f"networks.discriminator does not take {tuple(real.shape[1:])}, which data gives ({error}): "
                    f"interpolate its size and channels from data.size and data.channels"
                ) from error

    def latents(self, n: int, generator: torch.Generator, truncation: float | None = None) -> Tensor:
        """`n` latents from a CPU generator, so that a seed means the same pictures on every device.

        With `truncation` their normal is cut at so many deviations (Brock et al. 2019, arXiv 1809.11096).
        """
        if truncation is None:
            return self.z_std * torch.randn(n, self.z_dim, generator=generator)
        z = torch.empty(n, self.z_dim)
        return self.z_std * torch.nn.init.trunc_normal_(z, a=-truncation, b=truncation, generator=generator)

    def generate(self, z: Tensor, raw: bool = False, chunk: int = 250) -> Tensor:
        """Samples in the data's range, on the CPU, from latents of any number; EMA weights unless `raw`."""
        with for_inference(self.best("generator", raw)) as generator:
            return torch.cat([generator(part.to(self.device)).float().cpu() for part in z.split(chunk)])

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        return self.generate(self.latents(len(batch["real"]), generator))

    def networks_for_use(self) -> Sequence[str]:
        return ("generator",)
