"""Noise to samples, of a class where asked: Goodfellow et al. 2014, Mirza and Osindero 2014; for data of any rank."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.losses.matching import FeatureMatching
from gantrain.models.base import GANModule
from gantrain.models.batch import Batch, Scalars
from gantrain.models.checks import check_networks, tried, z_dim_of
from gantrain.models.modes import outputs
from gantrain.models.turns import check_matching, discriminator_turn, generator_turn, measured
from gantrain.networks.critique import Critique, critique_of


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
        matching: FeatureMatching | None = None,
        z_std: float = 1.0,
        fresh_noise: bool = False,
        classes: int | None = None,
        **base: Any,
    ):
        super().__init__(plays={"discriminator": measured(adversarial), "generator": ()}, **base)
        check_networks(self.networks, ("generator", "discriminator"), "the latent family")
        self.adversarial, self.matching = adversarial, matching
        self.z_std, self.fresh_noise, self.classes = z_std, fresh_noise, classes

    @property
    def z_dim(self) -> int:
        return z_dim_of(self.networks["generator"])

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
        real, fake, cond = batch["real"], shared, self.cond(batch)
        if name == "discriminator":
            fake = fake.detach()
            terms, stats = discriminator_turn(self.adversarial, self.judge(real, *cond), self.judge(fake, *cond))
            return {**terms, **self.penalise(name, self.logits, batch, real, fake, *cond)}, stats
        cond_of_fake = cond
        if self.fresh_noise:
            cond_of_fake = self.cond(batch, "cond_generator")
            fake = self.networks["generator"](batch["z_generator"], *cond_of_fake)
        judged = self.judge(fake, *cond_of_fake)
        return generator_turn(self.adversarial, self.matching, judged, lambda: self.judge(real, *cond)), {}

    def cond(self, batch: Batch, key: str = "cond") -> tuple[Tensor, ...]:
        """What the networks take after the latent or the sample: the class numbers, or nothing."""
        return (batch[key],) if self.classes else ()

    def judge(self, samples: Tensor, *cond: Tensor) -> Critique:
        return critique_of(self.networks["discriminator"](samples, *cond))

    def logits(self, samples: Tensor, *cond: Tensor) -> Tensor:
        return self.judge(samples, *cond).logits

    def check(self, batch: Batch) -> None:
        real = batch["real"]
        if self.classes and "cond" not in batch:
            raise UserError("models.classes: the data have no classes; leave it null, or choose data that have some")
        cond = self.cond({key: value[:1] for key, value in batch.items()})
        way_out = "interpolate its size and channels from data.size and data.channels"
        if self.classes:
            way_out += ", and choose networks that take class numbers as well, or models=latent"
        z = torch.zeros(1, self.z_dim, device=real.device)
        made = tried("generator", self.networks["generator"], z, *cond, way_out=way_out)
        if made.shape[1:] != real.shape[1:]:
            raise UserError(
                f"networks.generator makes {tuple(made.shape[1:])} but data gives {tuple(real.shape[1:])}: {way_out}"
            )
        judged = tried("discriminator", self.networks["discriminator"], real[:1], *cond, way_out=way_out)
        check_matching(self.matching, critique_of(judged))

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
