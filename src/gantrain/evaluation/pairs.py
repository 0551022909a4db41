"""How near translated pictures come to their targets, one by one (PSNR, SSIM, L1) and as a set (FD, KID)."""

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from gantrain.checks import check_whole
from gantrain.data.pairs import Pairs
from gantrain.drawing.progress import track
from gantrain.errors import UserError
from gantrain.evaluation.base import Evaluation
from gantrain.evaluation.distances import FEWEST, Distances
from gantrain.evaluation.kept import kept
from gantrain.evaluation.measures.psnr import psnr
from gantrain.evaluation.protocol import ema_or_raw
from gantrain.evaluation.super_resolution import LEAST
from gantrain.models.base import GANModule
from gantrain.models.loop.eval_mode import outputs
from gantrain.models.paired import PairedGAN
from gantrain.run.scores import Result, Score

CHUNK = 64  # pictures
MEAN, INPUT = "_mean", "_input"  # the answers that take no training
BETTER: dict[str, Literal["higher", "lower"]] = {"psnr": "higher", "ssim": "higher", "l1": "lower"}


class PairScores(Evaluation):
    """Scores of at most `pictures` held-out pairs (null is all), and of two answers that take no training.

    `_mean` is the mean of the training's targets, the same for every input; `_input` the input itself. All are compared
    in 8 bits: PSNR, SSIM and `l1`, the mean absolute difference of 0..255, are means over pictures. What is made and
    the input are also compared with the targets as sets: FD and KID by the features of `backbone`, with its `weights`
    and `resize`, where there are two pairs.
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
        check_whole(1, pictures=pictures)
        self.pictures, self.distances = pictures, Distances(backbone, weights, resize)

    def check(self, module: GANModule, data: Any) -> None:
        if not isinstance(module, PairedGAN) or not isinstance(data, Pairs):
            raise UserError(
                "evaluation: pairs measures runs that translate aligned pairs, which this is not; choose another, or "
                "evaluation=none"
            )
        if data.size < LEAST:
            raise UserError(f"evaluation: SSIM needs {LEAST} pixels, data.size is {data.size}; use evaluation=none")
        self.reference(data)

    def names(self, module: PairedGAN, data: Pairs) -> list[str]:
        count = self.count(self.reference(data))
        sets = [suffix for suffix in suffixes(data) if suffix != MEAN] if count >= FEWEST else []
        return [f"{name}{suffix}" for suffix in suffixes(data) for name in BETTER] + self.distances.names(count, *sets)

    def count(self, held_out: Pairs) -> int:
        return min(len(held_out), self.pictures or len(held_out))

    def measure(self, module: PairedGAN, data: Pairs, raw: bool = False) -> Result:
        held_out = self.reference(data)
        count = self.count(held_out)
        batch = held_out.take(np.arange(count))
        network, parts = module.averaged("generator", raw), batch["cond"].split(CHUNK)
        told = track(parts, len(parts), "parts of the pairs")
        made = torch.cat([outputs(network, part, device=module.device) for part in told])
        truth = held_out.pictures(batch["real"])
        mean = kept(data, "features", ("mean target", data.content), lambda: {"mean": mean_target(data)})["mean"]
        known = {"": made, MEAN: mean, INPUT: batch["cond"]}
        answers = {suffix: held_out.pictures(known[suffix]).expand_as(truth) for suffix in suffixes(data)}
        scores = {
            f"{name}{suffix}": Score.mean(values, BETTER[name])
            for suffix, pictures in answers.items()
            for name, values in compared(pictures, truth).items()
        }
        if count >= FEWEST:
            sets = {suffix: pictures for suffix, pictures in answers.items() if suffix != MEAN}
            scores |= self.distances.measure(truth, sets, self.seed, module.device)
        protocol = {
            "split": "held out",
            "pictures": count,
            "condition": data.condition,
            "direction": data.direction,
            "size": data.size,
            "quantisation": "8 bits",
            **self.distances.protocol(),
            "data": held_out.content,
            "networks": ema_or_raw(module, "generator", raw),
            "seed": self.seed,
        }
        return Result(scores, protocol)


def suffixes(data: Pairs) -> list[str]:
    """Of the scores' names: of what is made, and of the other answers that have a target's channels."""
    return ["", MEAN, *([INPUT] if data.cond_channels in (1, data.channels) else [])]


def compared(made: Tensor, truth: Tensor) -> dict[str, list[float]]:
    """Each picture's PSNR, SSIM and mean absolute difference; both are (n, c, h, w) uint8."""
    made, truth = made.float(), truth.float()
    difference = (made - truth).flatten(1)
    similar: Any = structural_similarity_index_measure(made, truth, data_range=255.0, reduction="none")
    found = {"psnr": psnr(difference.square().mean(1)), "ssim": similar.reshape(-1), "l1": difference.abs().mean(1)}
    return {name: values.tolist() for name, values in found.items()}


def mean_target(data: Pairs) -> Tensor:
    """The mean of the training's targets (1, channels, size, size) in `range`."""
    chunks = np.array_split(np.arange(len(data)), -(-len(data) // CHUNK))
    told = track(chunks, len(chunks), "parts of the training pairs")
    total: Any = sum(data.take(rows)["real"].double().sum(0, keepdim=True) for rows in told)
    return (total / len(data)).float()
