"""How near what fills a hole comes to what was there, against its mean colour and smooth filling: PSNR and L1."""

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.holes import Holes, pasted
from gantrain.drawing.progress import track
from gantrain.errors import UserError
from gantrain.evaluation.base import Evaluation
from gantrain.evaluation.measures.psnr import psnr
from gantrain.evaluation.protocol import ema_or_raw
from gantrain.models.base import GANModule
from gantrain.models.inpainting import Inpainting
from gantrain.models.loop.eval_mode import outputs
from gantrain.run.scores import Result, Score

CHUNK = 64  # pictures
MEAN, SMOOTH = "_mean", "_smooth"  # the answers that take no training
BETTER: dict[str, Literal["higher", "lower"]] = {"psnr": "higher", "l1": "lower"}


class HoleScores(Evaluation):
    """Scores of at most `pictures` held-out pictures (null is all), and of two answers that take no training.

    `_mean` is the mean colour of what is left of the picture, `_smooth` the surface over the hole that is as flat as
    its border allows. All are compared in 8 bits inside the hole alone, which is the same at every measuring: PSNR and
    `l1`, the mean absolute difference of 0..255, are means over pictures.
    """

    def __init__(self, *, pictures: int | None = 256, **base: Any):
        super().__init__(**base)
        check_whole(1, pictures=pictures)
        self.pictures = pictures

    def check(self, module: GANModule, data: Any) -> None:
        if not isinstance(module, Inpainting) or not isinstance(data, Holes):
            raise UserError(
                "evaluation: holes measures runs that fill holes, which this does not; choose another, or "
                "evaluation=none"
            )
        self.reference(data)

    def names(self, module: GANModule, data: Any) -> list[str]:
        return [f"{name}{suffix}" for suffix in ("", MEAN, SMOOTH) for name in BETTER]

    def measure(self, module: GANModule, data: Any, raw: bool = False) -> Result:
        held_out = self.reference(data)
        count = min(len(held_out), self.pictures or len(held_out))
        network, parts = module.averaged("generator", raw), np.array_split(np.arange(count), -(-count // CHUNK))
        found: dict[str, list[float]] = {name: [] for name in self.names(module, data)}
        for rows in track(parts, len(parts), "parts of the pictures"):
            batch = held_out.take(rows)
            cond, truth = batch["cond"], held_out.pictures(batch["real"])
            missing = cond[:, -1:] > 0
            answers = {
                "": pasted(outputs(network, cond, device=module.device), cond),
                MEAN: cond[:, :-1],
                SMOOTH: torch.stack([smooth(*pair) for pair in zip(cond[:, :-1], missing[:, 0], strict=True)]),
            }
            for suffix, made in answers.items():
                for name, values in compared(held_out.pictures(made), truth, missing).items():
                    found[f"{name}{suffix}"] += values
        scores = {name: Score.mean(values, BETTER[name.partition("_")[0]]) for name, values in found.items()}
        protocol = {
            "split": "held out",
            "pictures": count,
            "hole": data.hole,
            "sides": list(data.sides),
            "size": data.size,
            "quantisation": "8 bits",
            "data": held_out.content,
            "networks": ema_or_raw(module, "generator", raw),
        }
        return Result(scores, protocol)


def compared(made: Tensor, truth: Tensor, missing: Tensor) -> dict[str, list[float]]:
    """Each picture's PSNR and mean absolute difference where pixels are `missing` (n, 1, h, w); both are (n, c, h, w)
    uint8."""
    difference = torch.where(missing, made.float() - truth.float(), 0.0).flatten(1)
    count = missing.flatten(1).sum(1) * made.shape[1]
    found = {"psnr": psnr(difference.square().sum(1) / count), "l1": difference.abs().sum(1) / count}
    return {name: values.tolist() for name, values in found.items()}


def smooth(picture: Tensor, missing: Tensor) -> Tensor:
    """A picture (c, h, w) whose missing pixels (h, w) are each the mean of their neighbours: Laplace's equation, with
    the known pixels around the hole as its border and nothing beyond the picture's own."""
    from scipy.sparse import coo_array, csc_array
    from scipy.sparse.linalg import splu

    values, hole = picture.double().numpy(), missing.numpy()
    number = np.full(hole.shape, -1)
    number[hole] = np.arange(hole.sum())
    neighbours = np.zeros(hole.shape)
    sums = np.zeros(values.shape)
    rows, columns = [], []
    for here, there in (
        (np.s_[1:, :], np.s_[:-1, :]),
        (np.s_[:-1, :], np.s_[1:, :]),
        (np.s_[:, 1:], np.s_[:, :-1]),
        (np.s_[:, :-1], np.s_[:, 1:]),
    ):
        neighbours[here] += 1
        sums[:, *here] += np.where(hole[there], 0, values[:, *there])
        both = hole[here] & hole[there]
        rows.append(number[here][both])
        columns.append(number[there][both])
    pairs = (np.concatenate(rows), np.concatenate(columns))
    inside, shape = np.arange(hole.sum()), (int(hole.sum()),) * 2
    system = coo_array((neighbours[hole], (inside, inside)), shape)
    system = system - coo_array((np.ones(len(pairs[0])), pairs), shape)
    filled = values.copy()
    filled[:, hole] = splu(csc_array(system)).solve(sums[:, hole].T).T
    return torch.from_numpy(filled).to(picture.dtype)
