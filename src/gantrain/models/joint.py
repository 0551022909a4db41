"""Texts and pictures to embeddings that agree where they belong together (Reed et al. 2016): the first stage."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gantrain.data.batch import Batch
from gantrain.models.base import GANModule
from gantrain.models.checks import check_networks, tried
from gantrain.models.loop.batch import Scalars
from gantrain.models.loop.eval_mode import outputs
from gantrain.models.players import plays
from gantrain.networks.text import Given

Contrast = Callable[[Tensor, Tensor, Tensor], Tensor]
IN_ROW = 4  # pictures beside a text
WAY_OUT = "interpolate what follows from networks.text.features and from sizes, as configs/networks/stackgan.yaml does"


class JointEmbedding(GANModule):
    """A network `text` of captions and a network `eye` of pictures, which minimise `contrast` over a batch's pairs.

    Pairs of one group, and those whose captions are the same, count neither as right nor as wrong. Where embeddings are
    given, `text` passes them on and the eye alone learns: it then judges what other stages make.
    """

    verbs = ()
    usual_evaluation = "texts"
    way_out = WAY_OUT

    def __init__(self, *, contrast: Contrast, **base: Any):
        super().__init__(**base)
        check_networks(self.networks, ("text", "eye"), "the text stage")
        self.contrast = contrast

    @plays
    def encoders(self, batch: Batch, shared: None) -> tuple[Scalars, Scalars]:
        texts, pictures = self.networks["text"](batch["text"]), self.networks["eye"](batch["real"])
        return {"contrast": self.contrast(texts, pictures, alike(batch))}, {}

    def inputs_of(self, name: str, batch: Batch) -> tuple[Tensor, ...] | None:
        return {"text": (batch["text"],), "eye": (batch["real"],)}.get(name)

    def target_of(self, name: str, batch: Batch) -> Tensor | None:
        return batch["real"].new_zeros(len(batch["real"]), self.networks["text"].features) if name == "eye" else None

    def check(self, batch: Batch) -> dict[str, Any]:
        check_text(self.networks["text"], batch)
        return super().check(batch)

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """For each of some captions the pictures of the batch that agree with it most, the best first."""
        texts = outputs(self.averaged("text"), batch["text"], device=self.device)
        pictures = outputs(self.averaged("eye"), batch["real"], device=self.device)
        columns = self.preview_columns
        best = agreement(texts[:, None], pictures[None]).argsort(1, descending=True)
        return batch["real"].cpu()[best[: max(1, len(texts) // columns), :columns].flatten()]

    @property
    def preview_columns(self) -> int:
        return IN_ROW

    def networks_for_use(self) -> Sequence[str]:
        return ("eye",) if isinstance(self.networks["text"], Given) else ("text", "eye")


def check_text(network: nn.Module, batch: Batch) -> None:
    """Raise UserError where the text encoder does not take the data's captions: all others follow from it."""
    tried("text", network, batch["text"][:1], way_out="docs/text.md says how captions and embeddings are given")


def alike(batch: Batch) -> Tensor:
    """Which pairs (n, n) beside the diagonal may belong together: of one group, or with the same caption."""
    group, text = batch["group"], batch["text"]
    same = (group[:, None] == group[None]) | (text[:, None] == text[None]).all(2)
    return same & ~torch.eye(len(group), dtype=torch.bool, device=group.device)


def agreement(texts: Tensor, pictures: Tensor) -> Tensor:
    """The cosine of embeddings (..., d) of texts and of pictures."""
    return torch.cosine_similarity(texts.float(), pictures.float(), dim=-1)
