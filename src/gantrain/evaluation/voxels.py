"""Scores of volumes: how much is filled, and the nearest neighbours by intersection over union (IoU)."""

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data import GANDataModule
from gantrain.drawing.progress import track
from gantrain.errors import UserError
from gantrain.evaluation.base import Evaluation
from gantrain.evaluation.protocol import ema_or_raw
from gantrain.models.base import GANModule
from gantrain.run.scores import Result, Score

CHUNK = 50  # volumes that are generated at once
BLOCK = 1 << 15  # voxels that are compared at once


class VoxelScores(Evaluation):
    """Generated volumes against real ones of `split`, as many of each, `samples` at most.

    `coverage_iou` and `mmd_iou` are the coverage and the minimum matching distance of Achlioptas et al. 2018 (arXiv
    1707.02392, section 3) with the distance 1 - IoU: the share of real volumes that are the nearest one of some
    generated volume, and the mean distance of a real volume to its nearest generated one. `occupancy_ratio`,
    `fill_ratio` and `alike_ratio` compare means of generated and real volumes: the share of voxels that is occupied,
    the share within the bounding box (a cube has 1), and the IoU of two volumes (one blob for all latents has 1).

    The table shows volumes of the training split beside them, measured in the same way.
    """

    def __init__(self, samples: int = 200, split: Literal["train", "test"] = "test", **options: Any):
        super().__init__(**options)
        check_whole(2, samples=samples)
        self.samples, self.split = samples, split

    def check(self, module: GANModule, data: GANDataModule) -> None:
        if data.solid is None:
            raise UserError("evaluation: these scores are of volumes; choose others for pictures, or evaluation=none")
        if module.generate is None:
            raise UserError("evaluation: these scores need a family that makes volumes from noise")
        self.reference(data)

    def names(self, module: GANModule, data: GANDataModule) -> list[str]:
        return ["coverage_iou", "mmd_iou", *(f"{key}_ratio" for key in ratios(facts(self.real(data))))]

    def measure(self, module: Any, data: GANDataModule, raw: bool = False) -> Result:
        real = self.real(data)
        generator = torch.Generator().manual_seed(self.seed)
        latents = module.latents(len(real), generator)
        parts = latents.split(CHUNK)
        told = track(parts, len(parts), "parts of the volumes")
        made = torch.cat([data.solid(module.generate(part, raw=raw)).flatten(1) for part in told])
        ours, truth = facts(made, real), facts(real)
        scores = {
            "coverage_iou": Score(ours["coverage"], "higher"),
            "mmd_iou": Score(ours["mmd"], "lower"),
            **{f"{key}_ratio": Score(ours[key] / truth[key], "near 1") for key in ratios(truth)},
        }
        protocol = {
            "data": self.reference(data).content,
            "split": self.split,
            "real": len(real),
            "samples": len(made),
            "threshold": sum(data.range) / 2,
            "parts": data.parts,
            "networks": ema_or_raw(module, "generator", raw),
            "seed": self.seed,
        }
        rows = {"generated": ours, "training": facts(self.some(data, len(real)), real), "real": truth}
        table = [{"volumes": name, **{k: round(v, 4) for k, v in row.items()}} for name, row in rows.items()]
        return Result(scores, protocol, {"volumes": table})

    def real(self, data: GANDataModule) -> Tensor:
        """The real volumes to compare with, (n, voxels) bool."""
        return self.some(self.reference(data), self.samples)

    def some(self, data: GANDataModule, most: int) -> Tensor:
        """Real volumes (n, voxels) bool, drawn by this evaluation's seed."""
        rows = np.random.default_rng(self.seed).permutation(len(data))[:most]
        return data.solid(data.take(np.sort(rows))["real"]).flatten(1)


def facts(volumes: Tensor, real: Tensor | None = None) -> dict[str, float]:
    """Means over `volumes` (n, voxels) bool, and how they cover `real` where given."""
    n, side = len(volumes), round(volumes.shape[1] ** (1 / 3))
    among = iou(volumes, volumes)
    found = {
        "occupancy": volumes.float().mean().item(),
        "fill": box_fill(volumes.view(n, side, side, side)).mean().item(),
        "alike": ((among.sum() - among.trace()) / (n * (n - 1))).item() if n > 1 else 1.0,
    }
    if real is not None:
        near = iou(volumes, real)
        matched = near.argmax(1)[near.amax(1) > 0]  # an empty volume is near to none
        found["coverage"] = len(matched.unique()) / len(real)
        found["mmd"] = (1 - near.amax(0)).mean().item()
    return found


def ratios(truth: dict[str, float]) -> list[str]:
    """What generated volumes can be measured by; real ones may have nothing in common."""
    return [key for key in ("occupancy", "fill", "alike") if truth[key]]


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union (n, m) of volumes (n, voxels) and (m, voxels) bool; of two empty ones it is 1."""
    parts = zip(a.split(BLOCK, 1), b.split(BLOCK, 1), strict=True)
    common = sum(x.float() @ y.float().T for x, y in parts)
    union = a.sum(1)[:, None] + b.sum(1) - common
    return torch.where(union > 0, common / union.clamp(min=1), 1.0)


def box_fill(volumes: Tensor) -> Tensor:
    """The occupied share of each volume's bounding box (n,), of volumes (n, s, s, s) bool; 0 of an empty one."""
    box: Any = 1
    for others in ((2, 3), (1, 3), (1, 2)):
        inside = volumes.any(others).int()
        box = box * (inside.shape[1] - inside.argmax(1) - inside.flip(1).argmax(1))  # less both empty ends
    return volumes.flatten(1).sum(1) / box
