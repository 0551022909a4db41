"""The DataModule: batches of uint8 from the cache, normalised and augmented on the device."""

import copy
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from gantrain.data.cache.pictures import Cached, open_cache
from gantrain.data.checks import check_classes, check_large_enough, check_readable, tell_dropped
from gantrain.data.source import Source
from gantrain.data.split import Part, divide
from gantrain.data.stream import Batches, IndexStream, balanced, coin
from gantrain.drawing.pictures import grid, to_pil, to_uint8
from gantrain.errors import UserError
from gantrain.rng import derive_seed

Batch = dict[str, Tensor]


class GANDataModule(pl.LightningDataModule):
    """Batches `{real, cond?}`: `real` (n, channels, size, size) in `range`, `cond` class numbers where there are any.

    `dataset` opens its files under `root`. `batch_size` is per process. `augment.flip` mirrors each picture with
    probability one half. `cache_dir` holds the decoded pictures (see gantrain.data.cache).

    Files whose shorter side is below `size` are an error unless `upsize`. Files that cannot be read are left out with a
    warning below 1% of them, or always with `on_error: skip`; else they are an error.

    `balance` draws rare classes more often: from 0, as they occur, to 1, all classes equally often.

    `holdout` keeps some samples from training, a number of them (3) or a share (0.1); `held_out` gives them.

    Data of another kind than pictures of one size are a subclass with a `fill`, `check`, `samples`, `normalise` and
    `pictures` of its own, and `formats` in which `save` writes a sample.
    """

    formats: tuple[str, ...] = ("png",)
    verbs: tuple[str, ...] = ()  # what `gantrain VERB` can do with a run on such data, beside what its family says
    usual_evaluation: str | None = None  # that of configs/evaluation for such data; None: what the family says
    columns = ""  # what stands side by side in grids of such data

    def __init__(
        self,
        dataset: Any,
        size: int,
        channels: int,
        batch_size: int,
        root: str | None = None,
        range: Sequence[float] = (-1, 1),
        classes: int | None = None,
        upsize: bool = False,
        on_error: Literal["stop", "skip"] = "stop",
        augment: dict[str, bool] | None = None,
        cache_dir: str | None = None,
        holdout: float = 0,
        balance: float = 0,
        seed: int = 0,
    ):
        super().__init__()
        if not hasattr(dataset, "open"):
            raise ValueError(f"dataset is {dataset!r}, it must name a class of datasets with _target_")
        if not (_is_number(holdout) and _is_number(balance)):
            raise ValueError(f"holdout is {holdout!r} and balance {balance!r}, they must be numbers")
        if not (0 <= holdout < 1 or holdout == int(holdout) >= 1):
            raise ValueError(f"holdout is {holdout}, it must be a number of pictures or a share below 1")
        if not 0 <= balance <= 1:
            raise ValueError(f"balance is {balance}, it must lie between 0 and 1")
        if channels not in (1, 3):
            raise ValueError(f"channels is {channels}, it must be 1 or 3")
        pair = isinstance(range, Sequence) and len(range) == 2 and all(map(_is_number, range))
        if not pair or range[0] >= range[1]:
            raise ValueError(f"range is {range!r}, it must be [low, high], two numbers")
        if on_error not in ("stop", "skip"):
            raise ValueError(f"on_error is {on_error!r}, it must be stop or skip")
        if not isinstance(augment or {}, Mapping):
            raise ValueError(f"augment is {augment!r}, it must hold keys, as augment.flip=true")
        if unknown := set(augment or {}) - {"flip"}:
            raise ValueError(f"augment has no {', '.join(sorted(unknown))}; there is flip")
        for key, switch in (("upsize", upsize), ("augment.flip", (augment or {}).get("flip", False))):
            if not isinstance(switch, bool):
                raise ValueError(f"{key} is {switch!r}, it must be true or false")
        self.dataset, self.size, self.channels, self.batch_size = dataset, size, channels, batch_size
        self.root = Path(str(root)).expanduser() if root is not None else None
        self.range, self.classes, self.seed = tuple(range), classes, seed
        self.upsize, self.on_error = upsize, on_error
        self.flip = (augment or {}).get("flip", False)
        self.cache_dir = Path(str(cache_dir)).expanduser() if cache_dir else None
        self.holdout, self.part, self.balance = holdout, "train", balance
        self.source: Source | None = None
        self.cached: Cached | None = None

    def open(self) -> "GANDataModule":
        """Find the files and fill the cache; raises UserError where they do not fit the config."""
        self.fill()
        self.check()
        return self

    def fill(self) -> None:
        """Find the files and fill the cache, with whatever can be read."""
        self.source = self.opened()
        self.cached = open_cache(self.source, self.size, self.channels, self.cache_dir)

    def opened(self) -> Source:
        """The dataset's files, without those held out, or only these."""
        source = self.dataset.open(self.root)
        if not self.holdout:
            return source
        train, test = divide(source, self.holdout)
        return Part(source, train if self.part == "train" else test)

    def held_out(self) -> "GANDataModule":
        """What training does not see, opened: the dataset's own test split, or what `holdout` kept back.

        Raises UserError where there is neither.
        """
        other = copy.copy(self)
        other.part = "test"
        if not self.holdout and hasattr(self.dataset, "held_out"):
            other.dataset = self.dataset.held_out()
        elif not self.holdout:
            raise UserError(
                f"data.holdout: {type(self.dataset).__name__} has no test split; keep some samples from training with "
                f"data.holdout=0.1"
            )
        other.flip, other.balance = False, 0
        return other.open()

    def check(self) -> None:
        """Raise UserError where what was found does not fit the config."""
        if self.part == "train":
            tell_dropped(self.source)
        check_readable(self.source, self.cached, self.on_error)
        if not self.upsize:
            check_large_enough(self.source, self.cached, self.size)
        check_classes(self.cached, self.classes)
        if self.balance and self.cached.labels is None:
            raise UserError(f"data.balance is {self.balance} but the data have no classes; leave it 0")

    def __len__(self) -> int:
        return len(self.cached.rows)

    @property
    def variety(self) -> int:
        """How many different samples there are: a batch may not be larger."""
        return len(self)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample of `real`."""
        return (self.channels, self.size, self.size)

    @property
    def content(self) -> str:
        """A hash of the samples themselves, wherever they lie and whatever they are called."""
        pixels = repr((self.shape, self.cached.checksums)).encode()
        labels = b"" if self.cached.labels is None else self.cached.labels.tobytes()
        return hashlib.blake2b(pixels + labels, digest_size=8).hexdigest()

    def train_dataloader(self) -> DataLoader:
        trainer = self.trainer
        start = trainer.lightning_module.images_seen
        batches = Batches(self.batch_size, start, trainer.global_rank, trainer.world_size)
        return self.loader(batches)

    def loader(self, batches: Batches) -> DataLoader:
        # Its own generator: a loader draws a number from the global one, which a resumed run would draw once more.
        generator = torch.Generator().manual_seed(0)
        return DataLoader(self.samples(), batch_sampler=batches, collate_fn=_as_is, generator=generator)

    def samples(self) -> Dataset:
        """Batches of uint8 by their positions in the endless order, through `__getitems__`."""
        return _Pictures(self.cached, self.order(), self.flip, self.seed)

    def order(self) -> IndexStream:
        """The endless order of the samples."""
        return IndexStream(len(self), self.seed, balanced(self.cached.labels, self.balance) if self.balance else None)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        return self.normalise(batch)

    def normalise(self, batch: Batch) -> Batch:
        """uint8 pictures to float in `range`, mirrored where the batch says so."""
        flipped = batch.pop("flip", None)
        return {**batch, "real": mirrored(self.to_range(batch["real"]), flipped)}

    def to_range(self, pixels: Tensor) -> Tensor:
        """uint8 pixels to float in `range`."""
        low, high = self.range
        return pixels.float().mul_((high - low) / 255).add_(low)

    def pictures(self, samples: Tensor) -> Tensor:
        """What people look at of samples in `range`: uint8 (n, 1 or 3, height, width)."""
        return to_uint8(samples, self.range)

    def overview(self, batch: Batch) -> Tensor:
        """One picture (c, H, W) uint8 for people, of what training gets."""
        return grid(self.pictures(batch["real"]))

    def sheet(self, made: Tensor, batch: Batch, columns: int | None = None) -> Tensor:
        """One picture (c, H, W) uint8 for people, of samples that were `made` from what is in `batch`."""
        return grid(self.pictures(made), columns)

    def previews(self, n: int) -> Batch:
        """A fixed batch, on the CPU, for pictures of the training's progress."""
        return self.examples(n)

    def save(self, sample: Tensor, file: Path) -> None:
        """Write one sample in `range` to `file`, whose suffix is one of `formats`."""
        to_pil(self.pictures(sample[None])[0]).save(file)

    def take(self, indices: np.ndarray) -> Batch:
        """These samples as a batch, on the CPU, not augmented."""
        batch = {"real": torch.from_numpy(self.cached.take(indices))}
        if self.cached.labels is not None:
            batch["cond"] = torch.from_numpy(self.cached.labels[indices])
        return self.normalise(batch)

    @property
    def labels(self) -> np.ndarray | None:
        """The samples' class numbers (n,), or None."""
        return self.cached.labels

    def name(self, index: int) -> str:
        """The name of a sample in its source."""
        return self.source.name(int(self.cached.rows[index]))

    def examples(self, n: int) -> Batch:
        """The first `n` samples of the training's order as a batch, on the CPU."""
        batches: Iterator[Batch] = iter(self.loader(Batches(n, 0)))
        return self.normalise(next(batches))


class _Pictures(Dataset):
    """Positions of the endless order to a batch, fetched whole: NumPy's indexing is far quicker than torch's here."""

    def __init__(self, cached: Cached, order: IndexStream, flip: bool, seed: int):
        self.cached, self.order, self.flip = cached, order, flip
        self.coin_seed = derive_seed(seed, "flip")

    def __getitems__(self, positions: np.ndarray) -> Batch:
        indices = self.order(positions)
        batch = {"real": torch.from_numpy(self.cached.take(indices))}
        if self.cached.labels is not None:
            batch["cond"] = torch.from_numpy(self.cached.labels[indices])
        if self.flip:
            batch["flip"] = torch.from_numpy(coin(positions, self.coin_seed))
        return batch


def mirrored(pictures: Tensor, flipped: Tensor | None) -> Tensor:
    """Pictures (n, c, h, w), those mirrored for which `flipped` (n,) is true."""
    if flipped is None:
        return pictures
    return torch.where(flipped.view(-1, 1, 1, 1), pictures.flip(-1), pictures)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _as_is(batch: Batch) -> Batch:
    return batch
