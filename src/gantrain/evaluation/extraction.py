"""Features of real and of generated pictures: extracted once, the real ones kept on disk."""

import contextlib
import copy
import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from gantrain.data.module import GANDataModule
from gantrain.data.stream import Batches
from gantrain.drawing.progress import shown
from gantrain.errors import UserError
from gantrain.evaluation.backbones import Backbone
from gantrain.evaluation.measures.frechet import moments
from gantrain.files import replacing
from gantrain.folders import cache_folder

CHUNK = 250  # pictures that go through the backbone together
PART = 40 * CHUNK  # pictures whose features are one file: 80 MB of Inception's


@dataclass(frozen=True)
class Features:
    """`features` (n, d) float32, `probabilities` (n, classes) where the backbone classifies, `labels` (n,) where the
    pictures have classes; on the CPU."""

    features: Tensor
    probabilities: Tensor | None
    labels: Tensor | None

    def __len__(self) -> int:
        return len(self.features)

    @functools.cached_property
    def moments(self) -> tuple[Tensor, Tensor]:
        return moments(self.features)

    @classmethod
    def joined(cls, parts: Iterable["Features"]) -> "Features":
        columns = zip(*((part.features, part.probabilities, part.labels) for part in parts), strict=True)
        return cls(*(None if column[0] is None else torch.cat(column) for column in columns))

    def at(self, rows: Tensor | slice) -> "Features":
        parts = (self.features, self.probabilities, self.labels)
        return Features(*(None if part is None else part[rows] for part in parts))


def stream(data: GANDataModule, count: int, seed: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor | None]]:
    """`count` different pictures as uint8 in an order of `seed` alone from `start` on, never flipped, with labels."""
    still = copy.copy(data)
    still.flip, still.balance, still.seed = False, 0, seed
    for done, batch in zip(range(0, count, CHUNK), still.loader(Batches(CHUNK, start)), strict=False):
        whole = {key: value[: count - done] for key, value in still.normalise(batch).items()}
        yield data.pictures(whole["real"]), whole.get("cond")


def real_features(data: GANDataModule, backbone: Backbone, count: int, seed: int, device: torch.device) -> Features:
    """Features of `count` real pictures in an order of `seed`, from the disk where they were extracted before."""
    return Features.joined(real_parts(data, backbone, count, seed, device))


def real_parts(
    data: GANDataModule, backbone: Backbone, count: int, seed: int, device: torch.device
) -> Iterator[Features]:
    """The same, PART at a time: features of all pictures may be larger than the memory."""
    for start in range(0, count, PART):
        yield _part(data, backbone, start, min(PART, count - start), seed, device)


def _part(data: GANDataModule, backbone: Backbone, start: int, count: int, seed: int, device: torch.device) -> Features:
    def made() -> dict[str, Tensor]:
        pictures = shown(stream(data, count, seed, start), -(-count // CHUNK), "parts of the real pictures")
        found = vars(extract(pictures, backbone, device))
        return {name: value for name, value in found.items() if value is not None}

    content = (data.content, backbone.name, backbone.weights, backbone.filter, start, count, seed)
    return Features(**{"probabilities": None, "labels": None, **kept(data, "features", content, made)})


def kept(data: GANDataModule, folder: str, content: tuple, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors from the file of the cache that is named after `content`, made where it is missing or damaged."""
    key = hashlib.sha256(repr(content).encode()).hexdigest()[:16]
    file = (data.cache_dir or cache_folder()) / folder / f"{key}.safetensors"
    with contextlib.suppress(OSError, SafetensorError):
        return load_file(file)
    tensors = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as temporary:
        save_file(tensors, temporary)
    return tensors


def generated(
    module: Any, data: GANDataModule, count: int, seed: int, raw: bool, truncation: float | None, labels: Tensor | None
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """`count` generated pictures as uint8; a conditional family gets `labels` (n,), repeated as often as needed."""
    generator = torch.Generator().manual_seed(seed)
    parts = torch.arange(count).split(CHUNK)
    for rows in shown(parts, len(parts), "parts of the samples"):
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
    """Features of all `pictures`, a chunk at a time. Raises UserError where they are not finite."""
    parts = []
    backbone.to(device)
    with torch.no_grad():
        for chunk, labels in pictures:
            features, logits = backbone(chunk.to(device))
            if not torch.isfinite(features).all():
                raise UserError(f"evaluation.backbone: the features of {backbone.name} are not finite")
            probabilities = None if logits is None else logits.float().softmax(1).cpu()
            parts.append(Features(features.float().cpu(), probabilities, None if labels is None else labels.cpu()))
    return Features.joined(parts)
