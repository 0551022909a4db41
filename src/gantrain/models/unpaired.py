"""Translation between two kinds of pictures without pairs: CycleGAN (Zhu et al. 2017, arXiv 1703.10593)."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.batch import SIDES, Batch
from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.losses.matching import FeatureMatching
from gantrain.losses.penalties import PenaltyInputs
from gantrain.losses.reconstruction import PixelL1
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
from gantrain.models.image_pool import ImagePool
from gantrain.models.loop.batch import Scalars
from gantrain.models.loop.eval_mode import outputs
from gantrain.models.players import plays
from gantrain.networks.critique import Critique, critique_of

OTHER = {"a": "b", "b": "a"}
DRAWS = ("swap", "place")  # what a pool takes, per picture
NETWORKS = ("generator_ab", "generator_ba", "discriminator_a", "discriminator_b")


class Fakes(NamedTuple):
    """Fakes by side: the `new` ones, with a graph if the generators play, and those `shown` to the discriminators."""

    new: dict[str, Tensor]
    shown: dict[str, Tensor]


class UnpairedGAN(GANModule):
    """Generators between the pictures `a` and `b` of a batch, and a discriminator of each side.

    The generators minimise their adversarial losses times `adversarial_weight` plus two distances of a picture from
    itself: `cycle` (equation 2) after translation to the other side and back, and `identity` (section 5.2), if given,
    after translation to the side that it is on already. Discriminators see fakes from a pool of the last `pool` ones;
    with 0 only the newest. `augment` changes the real and fake pictures that they are shown, as in the latent family.
    """

    way_out = "interpolate its options from data, as configs/networks/cyclegan.yaml does"

    def __init__(
        self,
        *,
        adversarial: AdversarialLoss,
        cycle: PixelL1,
        identity: PixelL1 | None = None,
        matching: FeatureMatching | None = None,
        adversarial_weight: float = 1.0,
        pool: int = 50,
        augment: Mapping[str, Any] | None = None,
        **base: Any,
    ):
        check_whole(0, pool=pool)
        sides = [f"{name}_{side}" for side in SIDES for name in measured(adversarial)]
        super().__init__(measures={"discriminators": sides}, **base)
        check_networks(self.networks, NETWORKS, "the unpaired family")
        self.adversarial, self.cycle, self.identity, self.matching = adversarial, cycle, identity, matching
        self.adversarial_weight, self.shown = adversarial_weight, Shown(augment)
        self.shown.keep(self)
        for side in SIDES if pool else ():
            self.keep(f"pool_{side}", ImagePool(pool))

    def draw(self, batch: Batch) -> Batch:
        pools = [name for name in self.kept if name.startswith("pool_")]
        drawn = {f"{kind}.{name}": self.uniform(batch, key=f"{kind}.{name}") for name in pools for kind in DRAWS}
        drawn |= draw_labels(self, batch, [f"_{side}" for side in SIDES])
        uses = uses_of(self.adversarial, self.matching)
        return drawn | self.shown.draw(self, batch, {f"{use}_{side}": batch[side] for use in uses for side in SIDES})

    def shared(self, batch: Batch, playing: Sequence[str]) -> Fakes:
        """The fakes of both sides, and what the discriminators see of them."""
        with torch.set_grad_enabled("generators" in playing and torch.is_grad_enabled()):
            new = {side: self.networks[self.generator_to(side)](batch[OTHER[side]]) for side in SIDES}
        learns = "discriminators" in playing  # else the pools do not change
        return Fakes(
            new, {side: self.from_pool(side, new[side].detach(), batch) if learns else new[side] for side in SIDES}
        )

    def from_pool(self, side: str, fakes: Tensor, batch: Batch) -> Tensor:
        """As many fakes from the pool of a side, if there is one; the pool takes in the new ones."""
        pool = f"pool_{side}"
        return self.kept[pool](fakes, *(batch[f"{kind}.{pool}"] for kind in DRAWS)) if pool in self.kept else fakes

    @plays
    def discriminators(self, batch: Batch, fakes: Fakes) -> tuple[Scalars, Scalars]:
        terms: Scalars = {}
        stats: Scalars = {}
        real_logits = []
        for side in SIDES:
            of_real = self.judge(side, self.see(batch[side], batch, "real", side))
            of_fake = self.judge(side, self.see(fakes.shown[side].detach(), batch, "fake", side))
            real_logits.append(of_real.logits)
            labels = batch.get(f"labels.discriminator_{side}")
            side_terms, side_stats = discriminator_turn(self.adversarial, of_real, of_fake, labels)
            terms |= on_side(side, side_terms)
            stats |= on_side(side, side_stats)
        return terms, stats | self.shown.learn(torch.cat(real_logits), batch, self.adversarial, self)

    @plays
    def generators(self, batch: Batch, fakes: Fakes) -> tuple[Scalars, Scalars]:
        terms: Scalars = {}
        for side in SIDES:
            real, back = batch[side], self.networks[self.generator_to(side)]
            of_fake = self.judge(side, self.see(fakes.new[side], batch, "fake_generator", side))
            judge_real, labels = partial(self.judge_real, side, batch), batch.get(f"labels.generator_{side}")
            weight = self.adversarial_weight
            of_side = generator_turn(self.adversarial, self.matching, of_fake, judge_real, weight, labels)
            of_side["cycle"] = self.cycle(back(fakes.new[OTHER[side]]), real)
            if self.identity is not None:
                of_side["identity"] = self.identity(back(real), real)
            terms |= on_side(side, of_side)
        return terms, {}

    def penalised(self, name: str, batch: Batch, fakes: Fakes) -> dict[str, PenaltyInputs]:
        if name == "generators":
            return {
                f"_{side}": PenaltyInputs(
                    self.networks[self.generator_to(side)], batch[OTHER[side]], batch[OTHER[side]]
                )
                for side in SIDES
            }
        return {
            f"_{side}": PenaltyInputs(partial(self.logits, side, batch), batch[side], fakes.shown[side].detach())
            for side in SIDES
        }

    def judge(self, side: str, images: Tensor) -> Critique:
        return critique_of(self.networks[f"discriminator_{side}"](images))

    def judge_real(self, side: str, batch: Batch) -> Critique:
        return self.judge(side, self.see(batch[side], batch, "real_generator", side))

    def see(self, images: Tensor, batch: Batch, use: str, side: str) -> Tensor:
        """Pictures as the discriminator of a side is shown them: augmented, if at all."""
        return self.shown(images, batch, f"{use}_{side}")

    def logits(self, side: str, batch: Batch, images: Tensor) -> Tensor:
        return self.judge(side, self.see(images, batch, "real", side)).logits

    def made(self, batch: Batch, generator: torch.Generator) -> Batch:
        return {side: self.networks[self.generator_to(side)](batch[OTHER[side]]) for side in SIDES}

    def seen(self, key: str, batch: Batch) -> Tensor:
        return self.see(batch[key], batch | self.shown.draw(self, batch, {f"real_{key}": batch[key]}), "real", key)

    def judged(self, key: str, samples: Tensor, batch: Batch) -> Tensor:
        return self.judge(key, self.seen(key, batch | {key: samples})).logits

    def generator_to(self, side: str | None) -> str:
        """The name of the network that translates pictures to a side, by default b. Raises UserError."""
        side = side or "b"
        if side not in SIDES:
            raise UserError(f"to is {side!r}, it must be {' or '.join(SIDES)}")
        return f"generator_{OTHER[side]}{side}"

    def inputs_of(self, name: str, batch: Batch) -> tuple[Tensor, ...] | None:
        inputs = {f"discriminator_{side}": batch[side] for side in SIDES}
        inputs |= {self.generator_to(side): batch[OTHER[side]] for side in SIDES}
        return (inputs[name],) if name in inputs else None

    def target_of(self, name: str, batch: Batch) -> Tensor | None:
        return {self.generator_to(side): batch[side] for side in SIDES}.get(name)

    def check(self, batch: Batch) -> dict[str, Any]:
        check_bounded(self, self.adversarial, "discriminators")
        for side in SIDES:
            self.shown.check(batch[side], self.adversarial)
        given = super().check(batch)
        for side in SIDES:
            check_matching(self.matching, critique_of(given[f"discriminator_{side}"]))
        return given

    def translate(self, images: Tensor, side: str = "b", raw: bool = False) -> Tensor:
        """Pictures (n, ...) translated to a side, on the CPU; EMA weights unless `raw`."""
        network = self.averaged(self.generator_to(side), raw)
        return outputs(network, images, device=self.device, chunk=len(images))

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """The translated pictures of a, then those of b."""
        return torch.cat([self.translate(batch[OTHER[side]], side) for side in ("b", "a")])

    def networks_for_use(self) -> Sequence[str]:
        return ("generator_ab", "generator_ba")


def on_side(side: str, values: Scalars) -> Scalars:
    return {f"{key}_{side}": value for key, value in values.items()}
