"""Frechet and kernel distance between sets of pictures that are not samples from noise, such as translated ones."""

import functools
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gantrain.errors import UserError
from gantrain.evaluation.backbones import Backbone, named
from gantrain.evaluation.extraction import CHUNK, Features, extract
from gantrain.evaluation.protocol import frechet_name, tagged
from gantrain.evaluation.samples import SCORES, Sides, told
from gantrain.run.scores import Score

RESAMPLES = 10  # of the bootstrap
FEWEST = 2  # pictures of a set, for a covariance and a kernel distance


class Distances:
    """FD (FID by Inception) and KID by the features of one backbone: tf, random, torchvision's or a TorchScript file.

    `weights` is a local file for it, `resize` the filter tf1, antialias or clean; null is the backbone's own.
    """

    def __init__(self, backbone: str, weights: str | None = None, resize: str | None = None):
        if backbone == "dataset":
            raise UserError(
                "evaluation.backbone=dataset knows classes, which translated pictures are not of; choose random, tf, a "
                "classifier of torchvision or a TorchScript file"
            )
        self.word, self.weights, self.resize = backbone, weights, resize

    @functools.cached_property
    def backbone(self) -> Backbone:
        """Loaded when it is first asked for. Raises UserError."""
        return named(self.word, self.weights, self.resize)

    def names(self, count: int, *suffixes: str) -> list[str]:
        """The scores of sets of so many pictures, by the suffixes of their names."""
        return [name for suffix in suffixes for name in self.names_of(suffix, count)]

    def names_of(self, suffix: str, count: int) -> tuple[str, ...]:
        return tuple(
            tagged(f"{score}{suffix}", count, self.backbone.name) for score in (frechet_name(self.word), "kid")
        )

    def measure(self, real: Tensor, sets: Mapping[str, Tensor], seed: int, device: torch.device) -> dict[str, Score]:
        """Both distances of each of `sets`, by suffix, from `real`; all are pictures (n, c, h, w) uint8."""
        of_real = self.features(real, device)
        found: dict[str, Score] = {}
        for suffix, pictures in sets.items():
            generator = torch.Generator().manual_seed(seed)
            sides = Sides(of_real, self.features(pictures, device), (), False, RESAMPLES, generator)
            values = told({score: SCORES[score][1](sides) for score in ("frechet", "kid")})
            found |= zip(self.names_of(suffix, len(pictures)), values.values(), strict=True)
        return found

    def features(self, pictures: Tensor, device: torch.device) -> Features:
        return extract(((part, None) for part in pictures.split(CHUNK)), self.backbone, device)

    def protocol(self) -> dict[str, Any]:
        """How the distances are measured."""
        backbone = self.backbone
        return {"backbone": backbone.name, "weights": backbone.weights[:16], "resize": backbone.filter}
