"""Holes in pictures filled: context encoder (Pathak et al. 2016), CCGAN (Denton et al. 2016)."""

from typing import Any

from torch import Tensor

from gantrain.data.batch import Batch
from gantrain.data.holes import pasted
from gantrain.errors import UserError
from gantrain.losses.auxiliary import Auxiliary
from gantrain.losses.holes import HoleDistance
from gantrain.models.adversary import check_auxiliary_head
from gantrain.models.loop.batch import Scalars
from gantrain.models.paired import PairedGAN
from gantrain.networks.critique import Critique


class Inpainting(PairedGAN):
    """A generator of what is missing: of all that it makes only the hole is taken, the rest is the picture's own.

    The last channel of `cond` says which pixels are missing. The discriminator judges the pasted picture, the content
    loss looks at the hole. With `auxiliary` the discriminator also says the class of real pictures, their `label`:
    CCGAN's semi-supervised game.
    """

    fills_holes = True
    auxiliary: Auxiliary | None

    def __init__(self, *, auxiliary: Auxiliary | None = None, **base: Any):
        super().__init__(**base)
        if not isinstance(self.content, HoleDistance):
            raise UserError(
                "losses.content looks at more than the hole; choose gantrain.losses.holes.HoleL1 or HoleMSE"
            )
        if auxiliary is not None and not auxiliary.tells_classes:
            raise UserError(
                "losses.auxiliary: holes are filled without codes; choose gantrain.losses.auxiliary.ClassLabels"
            )
        if auxiliary is not None and self.adversarial is None:
            raise UserError(
                "losses.auxiliary: it is the discriminator that says classes, which needs losses.adversarial"
            )
        self.auxiliary = auxiliary

    def auxiliary_terms(self, of_real: Critique, batch: Batch) -> Scalars:
        return {} if self.auxiliary is None else self.auxiliary.real(of_real.auxiliary, batch["label"])

    def make(self, batch: Batch) -> Tensor:
        return pasted(super().make(batch), batch["cond"])

    def content_of(self, batch: Batch, made: Tensor) -> Tensor:
        return self.content(made, batch["real"], batch["cond"][:, -1:])

    def check(self, batch: Batch) -> dict[str, Any]:
        if batch["cond"].shape[1] != batch["real"].shape[1] + 1:
            raise UserError("models=inpainting fills holes, and these data have none; choose data=holes_folder")
        if self.auxiliary is not None and "label" not in batch:
            raise UserError(
                "losses.auxiliary asks for classes and data.classes is null; state it, or losses.auxiliary=null"
            )
        given = super().check(batch)
        if self.auxiliary is not None:
            check_auxiliary_head(given["discriminator"], self.auxiliary.size)
        return given

    def translate(self, cond: Tensor, raw: bool = False) -> Tensor:
        return pasted(super().translate(cond, raw), cond.cpu())
