"""Volumes for training: kept as bits, fetched in batches, unpacked on the device."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gantrain.data.acceptance import check_classes, named
from gantrain.data.formats.decode import Unreadable
from gantrain.data.formats.volume_export import ARRAYS, MESHES, largest_part, save_volume
from gantrain.data.module import GANDataModule
from gantrain.data.source import Source
from gantrain.data.split import divide
from gantrain.drawing.rendering import render, turn
from gantrain.errors import UserError, tell


@dataclass
class Packed:
    """Volumes of one `side`, eight voxels a byte: `bits` (n, bytes) and class numbers `labels` (n,) or None.

    `rows` (n,) are their numbers in the source; `unreadable` maps the numbers of those left out to the reason.
    """

    bits: np.ndarray
    side: int
    labels: np.ndarray | None
    rows: np.ndarray
    unreadable: dict[int, str]

    def take(self, indices: np.ndarray) -> np.ndarray:
        return self.bits[indices]


class VoxelDataModule(GANDataModule):
    """Batches `{real, cond?}`: `real` (n, 1, size, size, size) in `range`, `cond` class numbers where there are any.

    A volume is enlarged by the greatest whole factor that fits into `size` (order 0), and padded evenly to it: 30^3 by
    one voxel to 32^3, or to twice that. `augment.flip` mirrors each along its first axis with probability one half.
    `on_error: skip` leaves out files that cannot be used, else the first one is an error. All turns of an object, named
    `<object>_<turn>`, are on one side of a `holdout`.

    With `parts: largest` what floats beside a sample's largest part is left out of pictures, files and scores.
    """

    usual_evaluation = "voxels"
    formats = ("png", *ARRAYS, *MESHES)

    def __init__(self, *, parts: Literal["all", "largest"] = "all", **base: Any):
        if of_pictures := [key for key in ("channels", "upsize", "cache_dir", "balance") if key in base]:
            raise ValueError(f"{of_pictures[0]} is an option of pictures, leave it out")
        super().__init__(channels=1, **{"range": (0, 1), **base})
        self.parts = parts

    def fill(self) -> None:
        self.source = self.dataset.open(self.root)
        rows = np.arange(len(self.source))
        if self.holdout:
            rows = divide(self.source, self.holdout)[0 if self.part == "train" else 1]
        self.cached = pack(self.source, rows, self.on_error)

    def check(self) -> None:
        side = self.cached.side
        if side > self.size:
            enough = 1 << (side - 1).bit_length()
            raise UserError(f"data.size is {self.size}, but the volumes are {side}x{side}x{side}; use {enough} or more")
        check_classes(self.source, self.cached.labels, self.classes, self.class_names)

    @property
    def shape(self) -> tuple[int, ...]:
        return (1, self.size, self.size, self.size)

    @property
    def content(self) -> str:
        """A hash of the volumes themselves, wherever they lie and whatever they are called."""
        labels = b"" if self.cached.labels is None else self.cached.labels.tobytes()
        bits = repr((self.shape, self.cached.side)).encode() + self.cached.bits.tobytes()
        return hashlib.blake2b(bits + labels, digest_size=8).hexdigest()

    def facts(self) -> dict[str, str]:
        """What `gantrain data` tells of them."""
        cached, names = self.cached, self.source.class_names or ()
        counts = [len(self)] if cached.labels is None else np.bincount(cached.labels, minlength=len(names)).tolist()
        listed = ", ".join(f"{name} {count:,}" for name, count in zip(names, counts, strict=False))
        copies = len(self) - len(np.unique(cached.bits, axis=0))
        return {
            "volumes": f"{len(self):,} of {cached.side}x{cached.side}x{cached.side}",
            "occupied": f"{np.unpackbits(cached.bits).mean() * cached.bits.shape[1] * 8 / cached.side**3:.1%}",
            "classes": listed or "none",
            "copies": f"{copies:,} volumes are the same as another" if copies else "none",
            "unreadable": f"{len(cached.unreadable):,}" if cached.unreadable else "none",
            "training": self.as_trained(),
        }

    def to_range(self, bits: Tensor, flip: Tensor | None = None) -> Tensor:
        """Bits to floats in `range`, enlarged, padded, those volumes mirrored for which `flip` (n,) is true."""
        voxels = unpack(bits, self.cached.side)
        zoom = self.size // self.cached.side
        for axis in (1, 2, 3) if zoom > 1 else ():
            voxels = voxels.repeat_interleave(zoom, axis)
        space = self.size - voxels.shape[1]
        voxels = F.pad(voxels, (space // 2, space - space // 2) * 3)
        if flip is not None:
            voxels = torch.where(flip.view(-1, 1, 1, 1), voxels.flip(1), voxels)
        low, high = self.range
        return voxels.unsqueeze(1).float().mul_(high - low).add_(low)

    def solid(self, samples: Tensor) -> Tensor:
        """Which voxels (n, size, size, size) of samples in `range` are occupied, on the CPU: those above its middle."""
        above = samples[:, 0].cpu() > sum(self.range) / 2
        if self.parts == "all":
            return above
        return torch.from_numpy(np.stack([largest_part(volume) for volume in above.numpy()]))

    def pictures(self, samples: Tensor) -> Tensor:
        return render(self.solid(samples))

    def save(self, sample: Tensor, file: Path) -> None:
        """Write one sample in the format that the suffix names. Raises Empty where a mesh would have no surface."""
        if file.suffix == ".png":
            super().save(sample, file)
        else:
            save_volume(self.solid(sample[None])[0].numpy(), file)

    def turning(self, samples: Tensor) -> Tensor:
        """Pictures of the samples from all around, uint8 (frames, n, 3, height, width)."""
        return turn(self.solid(samples))


def pack(source: Source, rows: np.ndarray, on_error: Literal["stop", "skip"]) -> Packed:
    """Read these volumes of a source. Raises UserError for one that cannot be used, or that has another side."""
    bits, kept, unreadable = [], [], {}
    sides: dict[int, str] = {}
    for row in rows.tolist():
        try:
            volume = source.volume(row)
        except Unreadable as error:
            if on_error == "stop":
                raise UserError(
                    f"data.root: {source.name(row)!r}: {error}; mend or remove it, or leave such files out with "
                    f"data.on_error=skip"
                ) from error
            unreadable[row] = str(error)
            continue
        sides.setdefault(len(volume), source.name(row))
        if len(sides) > 1:
            (a, first), (b, second) = sides.items()
            raise UserError(
                f"data.root: {first!r} has the side {a} and {second!r} the side {b}; volumes of one size are needed"
            )
        bits.append(np.packbits(volume))
        kept.append(row)
    what = f"{len(unreadable):,} of {len(rows):,} volumes cannot be read: {named(source, unreadable)}"
    if not kept:
        raise UserError(f"data.root: {what}; nothing is left to train on")
    if unreadable:
        tell(f"{what}; they are left out")
    labels = None if source.labels is None else source.labels[kept].astype(np.int64)
    return Packed(np.stack(bits), next(iter(sides)), labels, np.array(kept), unreadable)


def unpack(bits: Tensor, side: int) -> Tensor:
    """Bits (n, bytes) uint8 as NumPy packs them to voxels (n, side, side, side) uint8, 0 or 1, on the same device."""
    places = torch.arange(7, -1, -1, dtype=torch.uint8, device=bits.device)
    voxels = (bits.unsqueeze(-1) >> places) & 1
    return voxels.flatten(1)[:, : side**3].reshape(-1, side, side, side)
