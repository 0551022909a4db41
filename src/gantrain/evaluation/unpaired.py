"""What pictures become in a game without pairs: FD and KID to the other side, what comes back, what is kept."""

import sys
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.batch import SIDES
from gantrain.data.unpaired import Unpaired
from gantrain.drawing.progress import track
from gantrain.errors import UserError
from gantrain.evaluation.base import Evaluation
from gantrain.evaluation.distances import FEWEST, Distances
from gantrain.evaluation.protocol import ema_or_raw
from gantrain.models.base import GANModule
from gantrain.models.unpaired import OTHER, UnpairedGAN
from gantrain.run.scores import Result, Score

CHUNK = 16  # pictures
INPUT, SHUFFLED = "_input", "_shuffled"  # what no training gives
LUMA = (0.299, 0.587, 0.114)


class UnpairedScores(Evaluation):
    """Scores of both ways, of at most `pictures` of each side (null is all) that training does not see.

    Of the way to b: `fd_b` and `kid_b` are the distances of translated pictures from real ones of b, with `_input`
    those of the pictures of a as they are; `cycle_a` is the mean absolute difference (of 0..255) of a picture of a that
    went there and back from itself, rounded to 8 bits on its way, so that nothing is hidden below them (Chu et al.
    2017, arXiv 1712.02950); `kept_b` is how far a translated picture has the edges of its own, from 0 to 1, with
    `_shuffled` those of another. Of the way to a alike. The distances are by `backbone`, with its `weights` and
    `resize`. Where nothing is held out, training's pictures are measured, which the protocol says.
    """

    def __init__(
        self,
        *,
        pictures: int | None = 256,
        backbone: str = "random",
        weights: str | None = None,
        resize: str | None = None,
        **base: Any,
    ):
        super().__init__(**base)
        check_whole(FEWEST, pictures=pictures)
        self.pictures, self.distances = pictures, Distances(backbone, weights, resize)

    def check(self, module: GANModule, data: Any) -> None:
        if not isinstance(module, UnpairedGAN) or not isinstance(data, Unpaired):
            raise UserError(
                "evaluation: unpaired measures runs between two kinds of pictures without pairs, which this is not; "
                "choose another, or evaluation=none"
            )
        measured = self.measured(data)
        if measured is data:
            print("warning: nothing is held out, so scores are of training's pictures", file=sys.stderr, flush=True)
        for side, members in measured.members.items():
            if len(members) < FEWEST:
                raise UserError(
                    f"evaluation: one picture of side {side} is too little for a score; hold out more, or choose "
                    f"evaluation=none"
                )

    def measured(self, data: Unpaired) -> Unpaired:
        """The data whose pictures are translated: held out, where there are some."""
        return data.held_out() if data.has_held_out else data

    def names(self, module: UnpairedGAN, data: Unpaired) -> list[str]:
        members, names = self.measured(data).members, []
        counts = {side: len(members[side][: self.pictures]) for side in SIDES}
        for side in reversed(SIDES):
            names += self.distances.names(counts[OTHER[side]], f"_{side}", f"_{side}{INPUT}")
            names += [f"cycle_{OTHER[side]}", f"kept_{side}", f"kept_{side}{SHUFFLED}"]
        return names

    def measure(self, module: UnpairedGAN, data: Unpaired, raw: bool = False) -> Result:
        measured = self.measured(data)
        real = {side: measured.pictures(measured.first_of(side, self.pictures)) for side in SIDES}
        scores: dict[str, Score] = {}
        for side in reversed(SIDES):
            own = real[OTHER[side]]
            made = translated(module, data, own, side, raw)
            back = translated(module, data, made, OTHER[side], raw)
            sets = {f"_{side}": made, f"_{side}{INPUT}": own}
            scores |= self.distances.measure(real[side], sets, self.seed, module.device)
            gaps = (back.float() - own.float()).abs().flatten(1).mean(1)
            scores[f"cycle_{OTHER[side]}"] = Score.mean(gaps.tolist(), "lower")
            scores[f"kept_{side}"] = Score.mean(likeness(edges(own), edges(made)).tolist(), "higher")
            others = edges(made).roll(1, 0)
            scores[f"kept_{side}{SHUFFLED}"] = Score.mean(likeness(edges(own), others).tolist(), "higher")
        protocol = {
            "split": "train, for nothing is held out" if measured is data else "held out",
            **{side: len(pictures) for side, pictures in real.items()},
            **self.distances.protocol(),
            "size": data.size,
            "quantisation": "8 bits, also on the way there and back",
            "data": measured.content,
            "networks": ema_or_raw(module, "generator_ab", raw),
            "seed": self.seed,
        }
        return Result(scores, protocol)


def translated(module: UnpairedGAN, data: Unpaired, pictures: Tensor, side: str, raw: bool) -> Tensor:
    """What becomes of pictures (n, c, h, w) on the way to a side; both are uint8."""
    parts = pictures.split(CHUNK)
    told = track(parts, len(parts), f"parts of the pictures to {side}")
    return torch.cat([data.pictures(module.translate(data.to_range(part), side, raw)) for part in told])


def edges(pictures: Tensor) -> Tensor:
    """How steep brightness is at the inner pixels of pictures (n, c, h, w) uint8, by Sobel's operator, (n, pixels)."""
    values = pictures.float()
    if values.shape[1] == 3:
        values = (values * values.new_tensor(LUMA).view(3, 1, 1)).sum(1, keepdim=True)
    across = values.new_tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    both = F.conv2d(values, torch.stack([across, across.T])[:, None])
    return both.square().sum(1).sqrt().flatten(1)


def likeness(one: Tensor, other: Tensor) -> Tensor:
    """The correlation of each row of (n, d) with its own of the other; 0 where a row is all alike."""
    one, other = (side - side.mean(1, keepdim=True) for side in (one, other))
    return F.cosine_similarity(one, other, dim=1, eps=1e-6)
