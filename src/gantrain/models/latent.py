"""Noise to samples, with classes or codes if asked for (Goodfellow et al. 2014 and later games); for any rank."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.utils.parametrize import cached

from gantrain.data.batch import Batch
from gantrain.data.module import GANDataModule
from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.losses.auxiliary import Auxiliary, Codes
from gantrain.losses.drift import Drift
from gantrain.losses.matching import FeatureMatching
from gantrain.losses.penalties import PenaltyInputs
from gantrain.models.adversary import (
    TopK,
    check_auxiliary_head,
    check_bounded,
    check_matching,
    consistent,
    discriminator_turn,
    draw_labels,
    generator_turn,
    measured,
)
from gantrain.models.augment.shown import Shown, uses_of
from gantrain.models.base import GANModule
from gantrain.models.checks import check_networks, pack_of, z_dim_of
from gantrain.models.conditioning import conditioning_of
from gantrain.models.growth import Growth
from gantrain.models.judge import Judge
from gantrain.models.loop.batch import Scalars
from gantrain.models.loop.eval_mode import outputs
from gantrain.models.players import plays
from gantrain.models.prior import Prior, normal_latents
from gantrain.networks.critique import Critique, critique_of


class LatentGAN(Judge, GANModule):
    """A generator of latents (n, z_dim) against a discriminator of samples.

    Latents are normal with deviation `z_std`, or with `z_kind: uniform` uniform in [-z_std, z_std]. One generator pass
    serves both turns of an iteration; with `fresh_noise` the generator's turn draws new latents and makes its own pass.

    The generator minimises `adversarial_weight` times its adversarial loss plus its other terms. With weight 0 and
    `matching` it learns by feature matching alone (Salimans et al. 2016, section 3.1).

    With `classes` the game is conditional (cGAN, Mirza and Osindero 2014): both networks take the class numbers `cond`
    (n,) of the real samples as their second argument; with `fresh_noise` the generator's turn draws its own classes,
    all equally likely. With `clusters`, and without classes, the discriminator takes the cluster of a sample instead of
    its class, and the generator gets it in its latents (`models/conditioning.py`).

    `augment` are members such as `DiffAugment`, which change the real and fake samples that the discriminator is shown.
    With `consistency` it is shown plain samples instead, and `consistency` times the squared difference of its logits
    on plain and on augmented samples is added to its loss (bCR, Zhao et al. 2020, arXiv 2002.04724). With `top_k` the
    generator learns only from its best fakes.

    With `auxiliary` the discriminator has a second output: with `ClassLabels` (ACGAN) the class, which it then does not
    get as an input; with `Codes` (InfoGAN) the codes, which are the last numbers of every latent. `drift` keeps the
    logits of real samples near 0.

    Growing networks have the size of the data, and fade to it over `fade_images` (`Growth`).
    """

    way_out = (
        "interpolate its size and channels from data.size and data.channels, and in a conditional game its classes "
        "from data.classes; networks=dcgan and mlp have these options; models.classes=null is a game without classes"
    )
    verbs: Sequence[str] = ("sample", "interpolate", "arithmetic", "features")
    usual_evaluation = "dataset"

    def __init__(
        self,
        *,
        adversarial: AdversarialLoss,
        matching: FeatureMatching | None = None,
        auxiliary: Auxiliary | None = None,
        drift: Drift | None = None,
        adversarial_weight: float = 1.0,
        z_std: float = 1.0,
        z_kind: Literal["normal", "uniform"] = "normal",
        augment: Mapping[str, Any] | None = None,
        consistency: float = 0.0,
        top_k: TopK | None = None,
        fresh_noise: bool = False,
        fade_images: int | None = None,
        classes: int | None = None,
        clusters: int | None = None,
        **base: Any,
    ):
        conditioning = conditioning_of(classes, clusters, auxiliary)
        for name, number in (
            ("consistency", consistency),
            ("adversarial_weight", adversarial_weight),
            ("z_std", z_std),
        ):
            if number < 0:
                raise ValueError(f"{name} is {number}, it must be 0 or more")
        if not (adversarial_weight or matching or auxiliary):
            raise ValueError(
                "adversarial_weight is 0, and the generator pays nothing else; add losses.matching, or take 1"
            )
        if not isinstance(top_k, TopK | None):
            raise ValueError(f"top_k is {top_k!r}, it must name gantrain.models.adversary.TopK with _target_")
        super().__init__(measures={"discriminator": measured(adversarial)}, **base)
        check_networks(self.networks, ("generator", "discriminator"), "the latent family")
        self.adversarial, self.matching, self.auxiliary, self.drift = adversarial, matching, auxiliary, drift
        self.conditioning, self.classes = conditioning, conditioning.classes
        self.way_out = conditioning.way_out or self.way_out
        self.codes = auxiliary if isinstance(auxiliary, Codes) else conditioning.codes
        self.prior = Prior(z_std, z_kind, self.codes)
        self.adversarial_weight, self.fresh_noise = adversarial_weight, fresh_noise
        self.shown, self.consistency, self.top_k = Shown(augment), consistency, top_k
        self.conditioning.keep(self)
        self.shown.keep(self)
        self.fade_images, self.growth = fade_images, Growth(self.networks, fade_images)

    @property
    def z_dim(self) -> int:
        return z_dim_of(self.networks["generator"])

    @property
    def pack(self) -> int:
        """How many samples the discriminator judges together."""
        return pack_of(self.networks["discriminator"])

    # ---- the game ----------------------------------------------------------------------------------------------------

    def study(self, data: GANDataModule) -> None:
        self.conditioning.study(data, self.seed)

    def begin_stage(self) -> None:
        self.growth.move(0)  # first: averages begin as copies
        super().begin_stage()

    def draw(self, batch: Batch) -> Batch:
        self.growth.move(self.images_seen)
        drawn = self.draw_source(batch, "") | self.conditioning.of_real(batch["real"])
        if self.fade_images:
            drawn["real"] = self.growth.shown(batch["real"])
        if self.fresh_noise:
            drawn |= self.draw_source(batch, "_generator") | self.conditioning.of_fresh(self, batch)
        if self.top_k is not None:
            drawn["top_k"] = self.top_k.share_for(batch["real"], self.images_seen)
        drawn |= draw_labels(self, batch)
        uses = uses_of(self.adversarial, self.matching)
        return drawn | self.shown.draw(self, batch, dict.fromkeys(uses, batch["real"]))

    def draw_source(self, batch: Batch, suffix: str) -> Batch:
        """The random numbers of a generator's pass: latents and its `random_inputs`, each with its own key."""
        drawn = {f"z{suffix}": self.prior.of(self.noise(batch, self.z_dim, key=f"z{suffix}"))}
        for name, (kind, shape) in self.random_inputs.items():
            draw = self.noise if kind == "normal" else self.uniform
            drawn[f"random.{name}{suffix}"] = draw(batch, *shape, key=f"random.{name}{suffix}")
        return drawn

    @property
    def random_inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """The generator's other random inputs in training: by name, `normal` or `uniform` and the shape per sample."""
        return getattr(self.networks["generator"], "random_inputs", {})

    def fakes(self, source: Batch) -> Tensor:
        """The generator's pass in training, from `z`, `cond` and the random inputs of `source`."""
        random = {name: source[f"random.{name}"] for name in self.random_inputs}
        return self.networks["generator"](*self.conditioning.to_generator(source), **random)

    def shared(self, batch: Batch, playing: Sequence[str]) -> Tensor:
        """The fakes of both turns."""
        reused = "generator" in playing and not self.fresh_noise
        with torch.set_grad_enabled(reused and torch.is_grad_enabled()):
            return self.fakes(batch)

    def losses(self, name: str, batch: Batch, shared: Tensor) -> tuple[Scalars, Scalars]:
        """As in every family, with parametrised weights, such as those of spectral norm, computed once for all passes.

        Compiled passes compute them each time: what one compiled call has cached is not there in the next.
        """
        with nullcontext() if self.compiled.forwards else cached():
            return super().losses(name, batch, shared)

    @plays
    def discriminator(self, batch: Batch, fakes: Tensor) -> tuple[Scalars, Scalars]:
        cond = self.discriminator_cond(batch)
        real, fake = batch["real"], fakes.detach()
        of_real = self.judge(self.see(real, batch, "real"), *cond)
        of_fake = self.judge(self.see(fake, batch, "fake"), *cond)
        terms, stats = discriminator_turn(self.adversarial, of_real, of_fake, batch.get("labels.discriminator"))
        stats |= self.shown.learn(of_real.logits, batch, self.adversarial, self) | self.growth.statistics()
        if self.drift is not None:
            terms["drift"] = self.drift(of_real.logits)
        if self.consistency:
            for use, samples, before in (("real", real, of_real), ("fake", fake, of_fake)):
                after = self.judge(self.shown(samples, batch, use), *cond)
                terms[f"consistency_{use}"] = self.consistency * consistent(before.logits, after.logits)
        if self.auxiliary is not None:
            terms |= self.auxiliary.real(of_real.auxiliary, batch.get("cond")) | self.auxiliary_terms(of_fake, batch)
        return terms, stats

    @plays
    def generator(self, batch: Batch, fakes: Tensor) -> tuple[Scalars, Scalars]:
        source = self.generator_source(batch)
        if self.fresh_noise:
            fakes = self.fakes(source)
        of_fake = self.judge(self.see(fakes, batch, "fake_generator"), *self.discriminator_cond(source))
        if self.top_k is not None:
            of_fake = of_fake._replace(logits=self.top_k.best(of_fake.logits, batch["top_k"]))
        judge_real, labels = partial(self.judge_real, batch), batch.get("labels.generator")
        terms = generator_turn(self.adversarial, self.matching, of_fake, judge_real, self.adversarial_weight, labels)
        return (terms if self.auxiliary is None else terms | self.auxiliary_terms(of_fake, source)), {}

    def penalised(self, name: str, batch: Batch, fakes: Tensor) -> dict[str, PenaltyInputs]:
        if name == "discriminator":
            cond = self.discriminator_cond(batch)
            inputs = PenaltyInputs(partial(self.logits, batch), batch["real"], fakes.detach(), *cond, pack=self.pack)
        else:
            z, *labels = self.conditioning.to_generator(self.generator_source(batch))
            inputs = PenaltyInputs(self.networks["generator"], z, z, *labels)
        return {"": inputs}

    def generator_source(self, batch: Batch) -> Batch:
        """The inputs of the fakes in the generator's turn: `z`, `cond` and random inputs."""
        if not self.fresh_noise:
            return batch
        keys = ("z", "cond", *(f"random.{name}" for name in self.random_inputs))
        return {key: batch[f"{key}_generator"] for key in keys if f"{key}_generator" in batch}

    def discriminator_cond(self, batch: Batch) -> tuple[Tensor, ...]:
        return self.conditioning.to_discriminator(batch)

    def auxiliary_terms(self, of_fake: Critique, source: Batch) -> Scalars:
        """The terms of the auxiliary output for fakes that were made from `source`."""
        return self.auxiliary.fake(of_fake.auxiliary, source["z"], source.get("cond"))

    def see(self, samples: Tensor, batch: Batch, use: str) -> Tensor:
        return samples if self.consistency else super().see(samples, batch, use)

    def made(self, batch: Batch, generator: torch.Generator) -> Batch:
        real = batch["real"]
        z = self.latents(len(real), generator).to(real.device)
        inputs = self.conditioning.to_generator(batch | self.conditioning.of_real(real) | {"z": z})
        return {"real": self.networks["generator"](*inputs)}

    def judged(self, key: str, samples: Tensor, batch: Batch) -> Tensor | None:
        samples = self.growth.shown(samples)  # applied to fakes as well, which it hardly changes: they are faded in
        return super().judged(key, samples, batch | self.conditioning.of_real(batch["real"]))

    # ---- before training ---------------------------------------------------------------------------------------------

    def inputs_of(self, name: str, batch: Batch) -> tuple[Tensor, ...] | None:
        real = batch["real"]
        labels = self.conditioning.last(real)
        if name == "generator":
            z = torch.zeros(len(real), self.z_dim, device=real.device)
            return self.conditioning.to_generator({"z": z} | labels)
        if name != "discriminator":
            return None
        return (real.repeat_interleave(self.pack, 0), *self.discriminator_cond(labels))  # as many packs as samples

    def target_of(self, name: str, batch: Batch) -> Tensor | None:
        return batch["real"] if name == "generator" else None

    def check(self, batch: Batch) -> dict[str, Any]:
        self.conditioning.check(batch, self.auxiliary)
        self.check_codes()
        self.check_pack()
        self.growth.check(batch["real"].shape[-1])
        self.shown.check(batch["real"], self.adversarial)
        if self.consistency and not self.shown.members:
            raise UserError(
                "models.consistency compares samples with changed ones, and models.augment changes none; choose "
                "models/augment=diffaugment"
            )
        check_bounded(self, self.adversarial, "discriminator")
        given = super().check(batch)
        judged = critique_of(given["discriminator"])
        check_matching(self.matching, judged)
        if self.auxiliary is not None:
            check_auxiliary_head(judged, self.auxiliary.size)
        return given

    def check_codes(self) -> None:
        """Raise UserError where codes leave no number of the latent for noise."""
        if self.codes is not None and self.codes.size >= self.z_dim:
            taker = "losses.auxiliary" if self.codes is self.auxiliary else self.conditioning.option
            raise UserError(
                f"networks.generator.z_dim is {self.z_dim}, and {taker} takes {self.codes.size} of that for codes; "
                f"noise needs some as well, so take more than {self.codes.size}, or fewer codes"
            )

    def check_pack(self) -> None:
        """Raise UserError for packs where each sample has its own label or auxiliary output."""
        asker = self.conditioning.option or ("losses.auxiliary" if self.auxiliary is not None else None)
        if self.pack > 1 and asker:
            raise UserError(
                f"networks.discriminator.pack is {self.pack}: it judges so many samples together, but {asker} is about "
                f"each one alone; take networks.discriminator.pack=1, or {asker}=null"
            )

    # ---- a trained run -----------------------------------------------------------------------------------------------

    def latents(self, n: int, generator: torch.Generator, truncation: float | None = None) -> Tensor:
        """`n` latents from a CPU generator, so that a seed gives the same pictures on every device.

        `truncation` cuts their normal distribution at so many deviations (Brock et al. 2019, arXiv 1809.11096).
        """
        return self.prior.of(normal_latents(n, self.z_dim, generator, truncation))

    def generate(self, z: Tensor, cond: Tensor | None = None, raw: bool = False, chunk: int = 250) -> Tensor:
        """Samples in the data's range, on the CPU, for any number of latents; EMA weights unless `raw`.

        In a conditional game `cond` (n,) are their classes, by default 0, 1, 2, ... in turn.
        """
        inputs = self.inputs_for_use(z, cond)
        return outputs(self.averaged("generator", raw), *inputs, device=self.device, chunk=chunk)

    def inputs_for_use(self, z: Tensor, cond: Tensor | None) -> tuple[Tensor, ...]:
        """The generator's inputs in use: latents, and in a conditional game classes, by default all in turn."""
        if not self.classes:
            return (z,)
        return z, torch.arange(len(z)) % self.classes if cond is None else cond

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        z = self.latents(len(batch["real"]), generator)
        if self.preview_columns is not None:  # every latent in all classes, or with all codes, side by side
            z = z[: max(1, len(z) // self.preview_columns)]
            z = z.repeat_interleave(self.classes, 0) if self.classes else self.codes.varied(z, 0).flatten(0, 1)
        return self.generate(z)

    @property
    def preview_columns(self) -> int | None:
        by_codes = isinstance(self.auxiliary, Codes)  # clusters are codes too, but previews do not sort by them
        return self.classes or (self.codes.categorical if by_codes else None)

    def networks_for_use(self) -> Sequence[str]:
        return ("generator",)
