"""One discriminator of single samples: what it is shown, and what it says of that."""

from torch import Tensor

from gantrain.data.batch import Batch
from gantrain.models.augment.shown import Shown
from gantrain.models.family import Family
from gantrain.networks.critique import Critique, critique_of


class Judge(Family):
    """The part that families with one discriminator of `real` share; without `adversarial` there is none."""

    shown: Shown

    def see(self, samples: Tensor, batch: Batch, use: str) -> Tensor:
        """What the game, and penalties in it, show the discriminator in the place of samples."""
        return self.shown(samples, batch, use)

    def discriminator_cond(self, batch: Batch) -> tuple[Tensor, ...]:
        """What the discriminator takes after the sample."""
        return ()

    def judge(self, samples: Tensor, *cond: Tensor) -> Critique:
        return critique_of(self.networks["discriminator"](samples, *cond))

    def judge_real(self, batch: Batch) -> Critique:
        """The real samples as the generator's turn compares with them."""
        return self.judge(self.see(batch["real"], batch, "real_generator"), *self.discriminator_cond(batch))

    def logits(self, batch: Batch, samples: Tensor, *cond: Tensor) -> Tensor:
        """The logits of samples, which are shown as in the discriminator's turn."""
        return self.judge(self.see(samples, batch, "real"), *cond).logits

    def seen(self, key: str, batch: Batch) -> Tensor:
        return self.see(batch[key], batch | self.shown.draw(self, batch, {"real": batch[key]}), "real")

    def judged(self, key: str, samples: Tensor, batch: Batch) -> Tensor | None:
        if self.adversarial is None:
            return None
        return self.judge(self.seen(key, batch | {key: samples}), *self.discriminator_cond(batch)).logits
