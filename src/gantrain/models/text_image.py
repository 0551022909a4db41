"""Texts to pictures: StackGAN's stages (Zhang et al. 2017, arXiv 1612.03242), and Reed et al. 2016 before it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gantrain.data.batch import Batch
from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.losses.penalties import PenaltyInputs
from gantrain.models.adversary import check_bounded, draw_labels, measured, statistics
from gantrain.models.base import GANModule
from gantrain.models.checks import check_networks, tried, z_dim_of
from gantrain.models.joint import WAY_OUT, check_text
from gantrain.models.loop.batch import Scalars
from gantrain.models.loop.eval_mode import for_inference, outputs
from gantrain.models.players import plays
from gantrain.models.prior import normal_latents
from gantrain.networks.critique import critique_of
from gantrain.networks.text import Given

IN_ROW = 8  # pictures of one text in a preview
FALSE = ("", "_wrong")  # what the random labels of fakes and of mismatched pairs are called by
CHUNK = 250


class Shared(NamedTuple):
    """Shared by both turns of an iteration: the fakes, and the embeddings of matching and of mismatched texts."""

    fakes: Tensor
    text: Tensor
    wrong: Tensor


class TextToImage(GANModule):
    """A generator of pictures from texts, which the network `text` embeds, against a discriminator of pairs.

    The discriminator judges a picture together with a text. Only a real picture with its own text counts as real; of
    the false pairs half are real pictures with another picture's text, half are fakes. The generator also minimises
    `kl` times the divergence of its condition's distribution from a standard normal, a mean over its numbers.

    The players name the networks that are generator and discriminator. Without `low` this is stage I, which makes
    pictures from noise. With `low`, the name of stage I's generator, it is stage II: it makes larger pictures from the
    small ones of that generator, which is frozen and in eval mode. Latents are all the normal numbers from which a
    picture is made: noise, then those of the conditions, stage I's first.
    """

    verbs = ("sample", "interpolate")
    usual_evaluation = "texts"
    takes_texts = True
    way_out = WAY_OUT

    def __init__(self, *, adversarial: AdversarialLoss, kl: float = 2.0, low: str | None = None, **base: Any):
        super().__init__(measures={"discriminator": measured(adversarial)}, **base)
        if kl < 0:
            raise ValueError(f"kl is {kl}, it must be 0 or more")
        if adversarial.relative:
            raise UserError(
                f"losses.adversarial: {type(adversarial).__name__} compares pairs of pictures, and here are twice as "
                f"many false pairs as right ones; take losses=non_saturating or hinge"
            )
        check_networks(self.networks, ("text", *([low] if low else [])), "text to image")
        self.adversarial, self.kl, self.low = adversarial, kl, low

    @property
    def generator_name(self) -> str:
        return self.players["generator"].networks[0]

    @property
    def discriminator_name(self) -> str:
        return self.players["discriminator"].networks[0]

    @property
    def first(self) -> str:
        """The generator that takes noise."""
        return self.low or self.generator_name

    # ---- the game ----------------------------------------------------------------------------------------------------

    def draw(self, batch: Batch) -> Batch:
        drawn = {"z": self.noise(batch, z_dim_of(self.networks[self.first]), key="z")}
        for key, name in self.drawn_by().items():
            drawn[key] = self.noise(batch, self.networks[name].cond_dim, key=key)
        return drawn | draw_labels(self, batch, FALSE)

    def drawn_by(self) -> dict[str, str]:
        """The keys of the conditions' random numbers, and the generator that takes each; in the order of latents."""
        return {**({"eps_low": self.low} if self.low else {}), "eps": self.generator_name}

    def shared(self, batch: Batch, playing: Sequence[str]) -> Shared:
        with torch.no_grad():
            text, wrong = (self.networks["text"](batch[key]) for key in ("text", "text_wrong"))
        with torch.set_grad_enabled("generator" in playing and torch.is_grad_enabled()):
            return Shared(self.fakes(self.networks, batch, text), text, wrong)

    def fakes(self, networks: nn.ModuleDict, source: Batch, text: Tensor) -> Tensor:
        """Pictures of embedded texts by these networks, from the random numbers in `source`."""
        made = source["z"]
        if self.low:
            with torch.no_grad():
                made = networks[self.low](made, text, source["eps_low"])
        return networks[self.generator_name](made, text, source["eps"])

    @plays
    def discriminator(self, batch: Batch, shared: Shared) -> tuple[Scalars, Scalars]:
        real = self.judge(batch["real"], shared.text)
        wrong = self.judge(batch["real"], shared.wrong)
        fake = self.judge(shared.fakes.detach(), shared.text)
        loss: Callable[..., Tensor] = self.adversarial.discriminator
        if "labels.discriminator" in batch:  # each false pair has a random label of its own
            kinds = zip((fake, wrong), FALSE, strict=True)
            adv = torch.stack([loss(real, false, batch[f"labels.discriminator{kind}"]) for false, kind in kinds]).mean()
        else:
            adv = loss(real, torch.cat([wrong, fake]))
        return {"adv": adv}, statistics(self.adversarial, real, fake) | {"wrong_logit": wrong.float().mean()}

    @plays
    def generator(self, batch: Batch, shared: Shared) -> tuple[Scalars, Scalars]:
        mean, log_deviation = self.networks[self.generator_name].augmentation(shared.text)
        of_fake = self.judge(shared.fakes, shared.text)
        drawn = {"drawn": batch["labels.generator"]} if "labels.generator" in batch else {}
        adv = self.adversarial.generator(of_fake, **drawn)
        return {"adv": adv, "kl": self.kl * divergence(mean, log_deviation)}, {}

    def judge(self, pictures: Tensor, text: Tensor) -> Tensor:
        return critique_of(self.networks[self.discriminator_name](pictures, text)).logits

    def penalised(self, name: str, batch: Batch, shared: Shared) -> dict[str, PenaltyInputs]:
        if name == "generator":
            return {}
        return {"": PenaltyInputs(self.judge, batch["real"], shared.fakes.detach(), shared.text)}

    # ---- before training ---------------------------------------------------------------------------------------------

    def inputs_of(self, name: str, batch: Batch) -> tuple[Tensor, ...] | None:
        real, low = batch["real"], self.low
        text = real.new_zeros(len(real), self.networks["text"].features)
        if name == "text":
            return (batch["text"],)
        if name == self.discriminator_name:
            return real, text
        if name not in (low, self.generator_name):
            return None
        eps = real.new_zeros(len(real), self.networks[name].cond_dim)
        if name == self.first:
            return real.new_zeros(len(real), z_dim_of(self.networks[name])), text, eps
        with for_inference(self.networks[low]):
            return self.networks[low](*self.inputs_of(low, batch)), text, eps

    def target_of(self, name: str, batch: Batch) -> Tensor | None:
        return batch["real"] if name == self.generator_name else None

    def check(self, batch: Batch) -> dict[str, Any]:
        check_text(self.networks["text"], batch)
        if self.low:  # it makes the input of the other generator
            one = {key: value[:1] for key, value in batch.items()}
            tried(self.low, self.networks[self.low], *self.inputs_of(self.low, one), way_out=self.way_out)
        check_bounded(self, self.adversarial, "discriminator")
        return super().check(batch)

    # ---- what health looks at ----------------------------------------------------------------------------------------

    def made(self, batch: Batch, generator: torch.Generator) -> Batch:
        latents = self.latents(len(batch["real"]), generator).to(batch["real"].device)
        return {"real": self.fakes(self.networks, self.parts(latents), self.networks["text"](batch["text"]))}

    def judged(self, key: str, samples: Tensor, batch: Batch) -> Tensor:
        return self.judge(samples, self.networks["text"](batch["text"]))

    # ---- a trained run -----------------------------------------------------------------------------------------------

    @property
    def z_dim(self) -> int:
        """The number of normal numbers from which a picture is made."""
        conditions = sum(self.networks[name].cond_dim for name in self.drawn_by().values())
        return z_dim_of(self.networks[self.first]) + conditions

    def latents(self, n: int, generator: torch.Generator, truncation: float | None = None) -> Tensor:
        """`n` latents from a CPU generator, as LatentGAN draws them."""
        return normal_latents(n, self.z_dim, generator, truncation)

    def parts(self, latents: Tensor) -> Batch:
        """Latents (n, z_dim) as noise and the conditions' numbers."""
        sizes = [z_dim_of(self.networks[self.first]), *(self.networks[n].cond_dim for n in self.drawn_by().values())]
        return dict(zip(("z", *self.drawn_by()), latents.split(sizes, 1), strict=True))

    def embedded(self, text: Tensor, raw: bool = False) -> Tensor:
        """Embeddings (n, d), on the CPU, of letters or of given embeddings."""
        return outputs(self.averaged("text", raw), text, device=self.device)

    def generate(self, latents: Tensor, embedding: Tensor, raw: bool = False, chunk: int = CHUNK) -> Tensor:
        """Pictures in the data's range, on the CPU, of embedded texts (n, d); EMA weights unless `raw`."""
        networks = nn.ModuleDict({name: self.averaged(name, raw) for name in {self.first, self.generator_name}})
        with for_inference(networks):
            parts = zip(latents.to(self.device).split(chunk), embedding.to(self.device).split(chunk), strict=True)
            return torch.cat([self.fakes(networks, self.parts(z), text).float().cpu() for z, text in parts])

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Rows of pictures of one text each."""
        columns = min(len(batch["real"]), self.preview_columns)
        text = self.embedded(batch["text"][: max(1, len(batch["real"]) // columns)])
        latents = self.latents(len(text) * columns, generator)
        return self.generate(latents, text.repeat_interleave(columns, 0))

    @property
    def preview_columns(self) -> int:
        return IN_ROW

    def networks_for_use(self) -> Sequence[str]:
        encoder = () if isinstance(self.networks["text"], Given) else ("text",)  # given embeddings need no network
        return tuple(dict.fromkeys((*encoder, self.first, self.generator_name)))


def divergence(mean: Tensor, log_deviation: Tensor) -> Tensor:
    """KL of N(mean, deviation) from N(0, 1), a mean over numbers: 0 at mean 0 and deviation 1."""
    mean, log_deviation = mean.float(), log_deviation.float()
    return (0.5 * ((2 * log_deviation).exp() + mean.square() - 1) - log_deviation).mean()
