"""Features of real and of generated pictures: extracted once, those of real ones kept on disk."""

import copy
import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from gantrain.data.module import GANDataModule
from gantrain.data.stream import Batches
from gantrain.drawing.progress import track
from gantrain.errors import UserError
from gantrain.evaluation.backbones import Backbone
from gantrain.evaluation.kept import Tensors, kept
from gantrain.evaluation.measures.frechet import moments, root_of
from gantrain.evaluation.measures.neighbours import radii

VERSION = 1  # raise it when the same pictures give other features
CHUNK = 250  # pictures that go through the backbone together
PART = 40 * CHUNK  # pictures whose features are one file: 80 MB of Inception's


def anew(name: Any, make: Callable[[], Tensors]) -> Tensors:
    """A `keep` that keeps nothing."""
    return make()


@dataclass(frozen=True)
class Features:
    """`features` (n, d) float32 and, if the backbone classifies, `probabilities` (n, classes), on its device; `labels`
    (n,), if the pictures have classes, on the CPU.

    `keep(name, make)` gives the tensors of `make`, which depend on these features alone; for real pictures they are
    kept on disk.
    """

    features: Tensor
    probabilities: Tensor | None
    labels: Tensor | None
    keep: Callable[[Any, Callable[[], Tensors]], Tensors] = field(default=anew, kw_only=True)

    def __len__(self) -> int:
        return len(self.features)

    @functools.cached_property
    def moments(self) -> tuple[Tensor, Tensor]:
        found = self.keep("moments", lambda: dict(zip(("mean", "covariance"), moments(self.features), strict=True)))
        return found["mean"], found["covariance"]

    @functools.cached_property
    def root(self) -> Tensor:
        """The square root of the covariance."""
        return self.keep("root", lambda: {"root": root_of(self.moments[1])})["root"]

    def radii(self, ks: tuple[int, ...], among: int) -> Tensor:
        """For the first `among` features the distances (among, len(ks)) to their k-th neighbours among themselves."""
        return self.keep(("radii", ks, among), lambda: {"radii": radii(self.features[:among], ks)})["radii"]

    @classmethod
    def joined(cls, parts: Iterable["Features"]) -> "Features":
        columns = zip(*((part.features, part.probabilities, part.labels) for part in parts), strict=True)
        return cls(*(None if column[0] is None else torch.cat(column) for column in columns))

    def at(self, rows: Tensor | slice) -> "Features":
        parts = (self.features, self.probabilities, self.labels)
        return Features(*(None if part is None else part[rows] for part in parts))


def stream(data: GANDataModule, count: int, seed: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor | None]]:
    """`count` different pictures as uint8, never flipped, with labels; in an order by `seed` alone, from `start` on."""
    still = copy.copy(data)
    still.flip, still.balance, still.seed = False, 0, seed
    for done, batch in zip(range(0, count, CHUNK), still.loader(Batches(CHUNK, start)), strict=False):
        whole = {key: value[: count - done] for key, value in still.normalise(batch).items()}
        yield data.pictures(whole["real"]), whole.get("cond")


@dataclass(frozen=True)
class RealParts:
    """Features of `count` real pictures, in an order by `seed`; read from disk if they were extracted before.

    They come in parts of PART pictures, as all of them may not fit into memory.
    """

    data: GANDataModule
    backbone: Backbone
    count: int
    seed: int
    device: torch.device

    def __iter__(self) -> Iterator[Features]:
        for start in range(0, self.count, PART):
            yield self.part(start, min(PART, self.count - start))

    def part(self, start: int, count: int) -> Features:
        def made() -> Tensors:
            chunks = stream(self.data, count, self.seed, start)
            pictures = track(chunks, -(-count // CHUNK), "parts of the real pictures")
            found = extract(pictures, self.backbone, self.device)
            columns = {name: getattr(found, name) for name in ("features", "probabilities", "labels")}
            return {name: value for name, value in columns.items() if value is not None}

        found = self.kept((start, count), made)
        labels = found.get("labels")
        return Features(found["features"], found.get("probabilities"), None if labels is None else labels.cpu())

    @property
    def content(self) -> tuple:
        """Everything that the features depend on."""
        backbone = self.backbone
        numbers = (self.seed, self.device.type)  # a GPU rounds in another way
        return VERSION, self.data.content, backbone.name, backbone.weights, backbone.filter, *numbers

    def kept(self, name: Any, make: Callable[[], Tensors]) -> Tensors:
        return kept(self.data, "features", (*self.content, name), make, self.device)

    def joined(self) -> Features:
        """All parts as one, whose `keep` uses the disk."""
        return replace(Features.joined(self), keep=lambda name, make: self.kept((self.count, name), make))


def real_features(data: GANDataModule, backbone: Backbone, count: int, seed: int, device: torch.device) -> Features:
    return RealParts(data, backbone, count, seed, device).joined()


def generated(
    module: Any, data: GANDataModule, count: int, seed: int, raw: bool, truncation: float | None, labels: Tensor | None
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """`count` generated pictures as uint8; in a conditional family of the classes `labels` (n,), in turn."""
    generator = torch.Generator().manual_seed(seed)
    parts = torch.arange(count).split(CHUNK)
    for rows in track(parts, len(parts), "parts of the samples"):
        latents = module.latents(len(rows), generator, truncation)
        cond = labels[rows % len(labels)] if module.classes else None
        samples = module.generate(latents, raw=raw, **({} if cond is None else {"cond": cond}))
        if not torch.isfinite(samples).all():
            raise UserError(
                "the generator makes pictures that are not finite, and no score can be made of them; go back to an "
                "earlier checkpoint"
            )
        yield data.pictures(samples), cond


def extract(pictures: Iterator[tuple[Tensor, Tensor | None]], backbone: Backbone, device: torch.device) -> Features:
    """Features of all `pictures`, a chunk at a time, left on the device. Raises UserError where they are not finite."""
    parts = []
    backbone.to(device)
    with torch.no_grad():
        for chunk, labels in pictures:
            features, logits = backbone(chunk.to(device))
            probabilities = None if logits is None else logits.float().softmax(1)
            parts.append(Features(features.float(), probabilities, None if labels is None else labels.cpu()))
    found = Features.joined(parts)
    if not torch.isfinite(found.features).all():
        raise UserError(f"evaluation.backbone: the features of {backbone.name} are not finite")
    return found
