"""Games with one discriminator: what it is shown, and its logits."""

from torch import Tensor

from gantrain.data.batch import Batch
from gantrain.models.augment.shown import Shown
from gantrain.models.family import Family
from gantrain.networks.critique import Critique, critique_of


class Judge(Family):
    """Shared by families whose one discriminator judges `real`; with `adversarial` None there is no discriminator."""

    shown: Shown

    def see(self, samples: Tensor, batch: Batch, use: str) -> Tensor:
        """The samples as the game and its penalties show them to the discriminator: augmented, if at all."""
        return self.shown(samples, batch, use)

    def discriminator_cond(self, batch: Batch) -> tuple[Tensor, ...]:
        """The discriminator's inputs after the samples."""
        return ()

    def judge(self, samples: Tensor, *cond: Tensor) -> Critique:
        return critique_of(self.networks["discriminator"](samples, *cond))

    def judge_real(self, batch: Batch) -> Critique:
        """The critique of the real samples with which the generator's turn compares its fakes."""
        return self.judge(self.see(batch["real"], batch, "real_generator"), *self.discriminator_cond(batch))

    def logits(self, batch: Batch, samples: Tensor, *cond: Tensor) -> Tensor:
        """The logits of samples, augmented as in the discriminator's turn."""
        return self.judge(self.see(samples, batch, "real"), *cond).logits

    def seen(self, key: str, batch: Batch) -> Tensor:
        return self.see(batch[key], batch | self.shown.draw(self, batch, {"real": batch[key]}), "real")

    def judged(self, key: str, samples: Tensor, batch: Batch) -> Tensor | None:
        if self.adversarial is None:
            return None
        return self.judge(self.seen(key, batch | {key: samples}), *self.discriminator_cond(batch)).logits
