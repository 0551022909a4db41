"""Two kinds of pictures turned into each other without pairs: CycleGAN (Zhu et al. 2017, arXiv 1703.10593)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.losses.matching import FeatureMatching
from gantrain.losses.reconstruction import PixelL1
from gantrain.models.adversary import check_matching, discriminator_turn, generator_turn, measured
from gantrain.models.base import GANModule
from gantrain.models.checks import check_networks, tried
from gantrain.models.image_pool import ImagePool
from gantrain.models.loop.batch import Batch, Scalars
from gantrain.models.loop.eval_mode import for_inference
from gantrain.networks.critique import Critique, critique_of

SIDES = ("a", "b")
OTHER = {"a": "b", "b": "a"}
DRAWS = ("swap", "place")  # what a pool takes, per picture
NETWORKS = ("generator_ab", "generator_ba", "discriminator_a", "discriminator_b")


class UnpairedGAN(GANModule):
    """Generators between the pictures `a` and `b` of a batch, and a discriminator of each side.

    The generators minimise their adversarial losses, `cycle` (equation 2), the difference of a picture that went there
    and back from itself, and `identity` (section 5.2), where it is given: of a picture that is on the right side
    already from itself. Discriminators see fakes through a pool of the last `pool` ones; 0 shows them the newest alone.
    """

    penalised = ("discriminator_a", "discriminator_b")

    def __init__(
        self,
        *,
        adversarial: AdversarialLoss,
        cycle: PixelL1,
        identity: PixelL1 | None = None,
        matching: FeatureMatching | None = None,
        pool: int = 50,
        **base: Any,
    ):
        check_whole(0, pool=pool)
        sides = [f"{name}_{side}" for side in SIDES for name in measured(adversarial)]
        super().__init__(plays={"generators": (), "discriminators": sides}, **base)
        check_networks(self.networks, NETWORKS, "the unpaired family")
        self.adversarial, self.cycle, self.identity, self.matching = adversarial, cycle, identity, matching
        if pool:
            self.stateful = {f"pool_{side}": ImagePool(pool) for side in SIDES}

    def draw(self, batch: Batch) -> Batch:
        return {f"{kind}.{name}": self.uniform(batch, f"{kind}.{name}") for name in self.stateful for kind in DRAWS}

    def shared(self, batch: Batch, playing: Sequence[str]) -> dict[str, Tensor]:
        """The fakes of both sides."""
        with torch.set_grad_enabled("generators" in playing and torch.is_grad_enabled()):
            return {side: self.carried(side, batch[OTHER[side]]) for side in SIDES}

    def losses(self, name: str, batch: Batch, shared: dict[str, Tensor]) -> tuple[Scalars, Scalars]:
        terms, stats = {}, {}
        for side in SIDES:
            of_side = self.against if name == "discriminators" else self.made
            side_terms, side_stats = of_side(side, batch, shared)
            terms |= {f"{key}_{side}": value for key, value in side_terms.items()}
            stats |= {f"{key}_{side}": value for key, value in side_stats.items()}
        return terms, stats

    def against(self, side: str, batch: Batch, fakes: dict[str, Tensor]) -> tuple[Scalars, Scalars]:
        """A discriminator's turn on its side."""
        real, fake = batch[side], self.remembered(f"pool_{side}", fakes[side].detach(), batch)
        terms, stats = discriminator_turn(self.adversarial, self.judge(side, real), self.judge(side, fake))

        def logits(images: Tensor) -> Tensor:
            return self.judge(side, images).logits

        return {**terms, **self.penalise("discriminators", logits, batch, real, fake)}, stats

    def remembered(self, pool: str, fakes: Tensor, batch: Batch) -> Tensor:
        """Newer and older fakes; where nothing is learnt from them, the pool stays as it is."""
        if pool not in self.stateful or not torch.is_grad_enabled():
            return fakes
        return self.stateful[pool](fakes, *(batch[f"{kind}.{pool}"] for kind in DRAWS))

    def made(self, side: str, batch: Batch, fakes: dict[str, Tensor]) -> tuple[Scalars, Scalars]:
        """What both generators pay for on a side: fakes that convince, and its pictures found again."""
        real = batch[side]
        judged = self.judge(side, fakes[side])
        terms = generator_turn(self.adversarial, self.matching, judged, lambda: self.judge(side, real))
        terms["cycle"] = self.cycle(self.carried(side, fakes[OTHER[side]]), real)
        if self.identity is not None:
            terms["identity"] = self.identity(self.carried(side, real), real)
        return terms, {}

    def carried(self, side: str, images: Tensor) -> Tensor:
        return self.networks[self.generator_to(side)](images)

    def judge(self, side: str, images: Tensor) -> Critique:
        return critique_of(self.networks[f"discriminator_{side}"](images))

    def generator_to(self, side: str | None) -> str:
        """The network that translates pictures to a side; to b where none is asked for."""
        side = side or "b"
        return f"generator_{OTHER[side]}{side}"

    def check(self, batch: Batch) -> None:
        way_out = "interpolate its options from data, as configs/networks/cyclegan.yaml does"
        for side in SIDES:
            name, real, target = self.generator_to(side), batch[OTHER[side]][:1], batch[side][:1]
            made = tried(name, self.networks[name], real, way_out=way_out)
            if made.shape != target.shape:
                raise UserError(
                    f"networks.{name} makes {tuple(made.shape[1:])} of {tuple(real.shape[1:])}, but the pictures of "
                    f"the other side are {tuple(target.shape[1:])}: {way_out}"
                )
            judge = f"discriminator_{side}"
            judged = tried(judge, self.networks[judge], target, way_out=way_out)
            check_matching(self.matching, critique_of(judged))

    def translate(self, images: Tensor, side: str = "b", raw: bool = False) -> Tensor:
        """What becomes of pictures (n, ...) on the way to a side, on the CPU; EMA weights unless `raw`."""
        with for_inference(self.best(self.generator_to(side), raw)) as generator:
            return generator(images.to(self.device)).float().cpu()

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """What becomes of the pictures of a, then of those of b."""
        return torch.cat([self.translate(batch[OTHER[side]], side) for side in ("b", "a")])

    def networks_for_use(self) -> Sequence[str]:
        return ("generator_ab", "generator_ba")
