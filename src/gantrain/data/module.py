"""The DataModule: batches of uint8 from the cache, normalised and augmented on the device."""

import copy
import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gantrain.data.acceptance import check_classes, check_large_enough, check_readable, tell_dropped, tell_levels
from gantrain.data.batch import Batch
from gantrain.data.cache.pictures import open_cache
from gantrain.data.conditions import Condition, condition_of
from gantrain.data.formats.decode import Framing
from gantrain.data.on_device import OnDevice, ahead, fits
from gantrain.data.source import Dataset, Source
from gantrain.data.split import Part, copies, divide
from gantrain.data.stream import Batches, IndexStream, balanced, coin
from gantrain.data.survey import told
from gantrain.drawing.pictures import grid, to_pil, to_uint8
from gantrain.errors import UserError
from gantrain.rng import derive_seed


class GANDataModule:
    """Batches `{real, cond?}`: `real` (n, channels, size, size) in `range`, `cond` class numbers where there are any.

    `dataset` opens its files under `root`. `batch_size` is per process. `augment.flip` mirrors each picture with
    probability one half. `cache_dir` holds the decoded pictures (see gantrain.data.cache).

    Files whose shorter side is below `size` are an error unless `upsize`. Unreadable files are left out with a warning
    if they are fewer than 1%, or always with `on_error: skip`; else they are an error.

    `balance` draws rare classes more often: from 0, as often as they occur, to 1, all classes equally often.

    On a GPU all samples are kept in its memory if they take a small share of it (`on_device: auto`); else batches are
    fetched ahead.

    `class_names` are the classes that a run has learnt, in the order of their numbers; other classes are an error.

    `holdout` keeps a number of samples (3) or a share (0.1) from training; `held_out` gives them.

    For data other than pictures of one size, a subclass overrides `fill`, `check`, `stored`, `normalise` and
    `pictures`, and states the `formats` in which `save` writes a sample.
    """

    formats: tuple[str, ...] = ("png",)
    verbs: tuple[str, ...] = ()  # what `gantrain VERB` can do with a run on such data, besides its family's verbs
    usual_evaluation: str | None = None  # the one of configs/evaluation for such data; None: the family's
    columns = ""  # what the columns of grids of such data show
    scale: int | None = None  # super-resolution: how many times larger `real` is than `cond`
    condition: Condition | None = None  # pairs: what a picture is translated from
    half_of: Callable[[Image.Image], Image.Image] | None = None  # pairs in one file: cuts out the input
    # The caches that may be kept on a GPU. A subclass with its own `stored` or `loader` has none unless it says so.
    caches: tuple[str, ...] = ("cached",)
    solid: Callable[[Tensor], Tensor] | None = None  # volumes: which voxels are occupied
    turning: Callable[[Tensor], Tensor] | None = None  # volumes: pictures of samples from all sides
    trainer: Any  # Lightning's
    previews_unseen = False  # whether previews show held-out samples, if `holdout` keeps some

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        of_parents = [(base.stored, base.loader) for base in cls.__bases__ if issubclass(base, GANDataModule)]
        if "caches" not in vars(cls) and (cls.stored, cls.loader) not in of_parents:
            cls.caches = ()

    def __init__(
        self,
        dataset: Dataset,
        size: int,
        channels: Literal[1, 3],
        batch_size: int,
        root: str | None = None,
        range: tuple[float, float] = (-1, 1),
        classes: int | None = None,
        class_names: Sequence[str] | None = None,
        upsize: bool = False,
        on_error: Literal["stop", "skip"] = "stop",
        augment: dict[str, bool] | None = None,
        cache_dir: str | None = None,
        holdout: float = 0,
        balance: float = 0,
        on_device: Literal["auto", "none"] = "auto",
        seed: int = 0,
    ):
        super().__init__()
        if not hasattr(dataset, "open"):
            raise ValueError(f"dataset is {dataset!r}, it must name a class of datasets with _target_")
        if not (0 <= holdout < 1 or holdout == int(holdout) >= 1):
            raise ValueError(f"holdout is {holdout}, it must be a number of pictures or a share below 1")
        if not 0 <= balance <= 1:
            raise ValueError(f"balance is {balance}, it must lie between 0 and 1")
        if range[0] >= range[1]:
            raise ValueError(f"range is {range!r}, it must be [low, high]")
        if unknown := set(augment or {}) - {"flip"}:
            raise ValueError(f"augment has no {', '.join(sorted(unknown))}; there is flip")
        self.dataset: Any = dataset  # what it may have besides `open`, `Dataset` says
        self.size, self.channels, self.batch_size = size, channels, batch_size
        self.load_size = size  # at which pictures are kept
        self.root = None if root is None else Path(root).expanduser()
        self.range, self.classes, self.seed = (range[0], range[1]), classes, seed
        self.class_names = class_names
        self.upsize, self.on_error = upsize, on_error
        self.flip = (augment or {}).get("flip", False)
        self.cache_dir = Path(cache_dir).expanduser() if cache_dir else None
        self.holdout, self.part, self.balance = holdout, "train", balance
        self.on_device = on_device
        self.source: Source | None = None
        self.cached: Any = None  # a Cached, unless a subclass fills it otherwise
        self.copied = np.empty(0, np.int64)  # rows not held out, as training has the same picture
        self._held_out: Self | None = None

    def open(self) -> Self:
        """Find the files, fill the cache and check them. Raises UserError where they do not fit the config."""
        self.fill()
        self.check()
        return self

    def fill(self) -> None:
        """Find the files and fill the cache with all that can be read."""
        self.source = self.opened()
        self.cached = open_cache(self.source, self.load_size, self.channels, self.cache_dir)

    def opened(self) -> Source:
        """The dataset's files of this `part`: without the held-out ones, or only those."""
        source = self.dataset.open(self.root)
        if not self.holdout:
            return source
        train, test = divide(source, self.holdout)
        return Part(source, train if self.part == "train" else np.setdiff1d(test, self.copied))

    @property
    def has_held_out(self) -> bool:
        """Whether something is kept from training; a test split's files may still be missing."""
        return bool(self.holdout) or getattr(self.dataset, "has_held_out", hasattr(self.dataset, "held_out"))

    @property
    def reads_root(self) -> bool:
        """Whether the data are files under `root`; False where they come with the program."""
        return getattr(self.dataset, "reads_root", True)

    @property
    def framing(self) -> Framing:
        """How pictures are cut and scaled, so that a user's picture looks like those of training."""
        return getattr(self.dataset, "framing", None) or Framing()

    def held_out(self) -> Self:
        """What training does not see, opened once: the dataset's own test split, or what `holdout` kept back.

        Raises UserError where there is neither.
        """
        if self._held_out is None:
            if not self.has_held_out:
                raise UserError(
                    f"data.holdout: {type(self.dataset).__name__} has no test split; keep some samples from training "
                    f"with data.holdout=0.1"
                )
            other = copy.copy(self)
            other.part, other.flip, other.balance, other.load_size = "test", False, 0, self.size
            if not self.holdout:
                other.dataset = self.dataset.held_out()
            other.open()
            if isinstance(other.source, Part):
                other.leave_out_copies(self, other.source)
            self._held_out = other
        return self._held_out

    def leave_out_copies(self, seen: "GANDataModule", source: Part) -> None:
        """Remove held-out pictures that training has under another name. Raises UserError if none is left."""
        if seen.load_size != self.load_size:
            seen = copy.copy(seen)
            seen.load_size = self.load_size
            seen.fill()
        found = copies(self.cached, seen.cached)
        if not len(found):
            return
        name = source.name(int(self.cached.rows[found[0]]))
        if len(found) == len(self.cached.rows):
            raise UserError(f"data.holdout: all that is held out are copies of training pictures, such as {name}")
        sentence = f"{len(found):,} held-out pictures are copies of training ones and left out, such as {name}"
        print(sentence, file=sys.stderr, flush=True)
        self.copied = source.rows[self.cached.rows[found]]
        self.open()

    def check(self) -> None:
        """Raise UserError where the files do not fit the config."""
        if self.part == "train":
            tell_dropped(self.source)
            tell_levels(self.source, self.cached)
        check_readable(self.source, self.cached, self.on_error)
        if not self.upsize:
            check_large_enough(self.source, self.cached, self.size)
        check_classes(self.source, self.cached.labels, self.classes, self.class_names)
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

    def blank(self, n: int) -> Batch:
        """A batch of `n` zeros with the keys, types and shapes of training, which needs no data."""
        return {"real": torch.zeros(n, *self.shape), **({"cond": torch.zeros(n).long()} if self.classes else {})}

    @property
    def content(self) -> str:
        """A hash of the samples themselves, wherever they lie and whatever they are called."""
        pixels = repr((self.shape, self.cached.checksums)).encode()
        labels = b"" if self.cached.labels is None else self.cached.labels.tobytes()
        return hashlib.blake2b(pixels + labels, digest_size=8).hexdigest()

    def train_dataloader(self) -> Iterator[Batch]:
        """Batches as networks see them, on their device, for ever."""
        trainer = self.trainer
        start = trainer.lightning_module.images_seen
        batches = Batches(self.batch_size, start, trainer.global_rank, trainer.world_size)
        device = trainer.strategy.root_device
        for batch in for_device(self, batches, device):
            yield self.normalise({key: value.to(device, non_blocking=True) for key, value in batch.items()})

    def loader(self, batches: Batches) -> Iterator[Batch]:
        """The samples at these positions of the endless order, as `stored` gives them, and which of them to flip."""
        order = IndexStream(len(self), self.seed, balanced(self.cached.labels, self.balance) if self.balance else None)
        for positions in batches:
            batch = self.stored(order(positions), positions)
            if self.flip:
                batch["flip"] = torch.from_numpy(coin(positions, derive_seed(self.seed, "flip")))
            yield batch

    def stored(self, indices: np.ndarray, positions: np.ndarray) -> Batch:
        """These samples as uint8; `positions` determine random crops, where there are any."""
        batch = {"real": torch.as_tensor(self.cached.take(indices))}
        if self.cached.labels is not None:
            batch["cond"] = torch.from_numpy(self.cached.labels[indices])
        return batch

    def normalise(self, batch: Batch) -> Batch:
        """A stored batch as networks get it: floats in `range`, flipped where the batch says so."""
        others = {key: value for key, value in batch.items() if key != "flip"}
        return {**others, "real": self.to_range(batch["real"], batch.get("flip"))}

    def to_range(self, pixels: Tensor, flip: Tensor | None = None) -> Tensor:
        """uint8 pixels to floats in `range`; pictures for which `flip` (n,) is true are mirrored."""
        low, high = self.range
        floats = pixels.float().mul_((high - low) / 255).add_(low)
        return floats if flip is None else torch.where(flip.view(-1, 1, 1, 1), floats.flip(-1), floats)

    def condition_of(self, picture: Image.Image) -> Tensor:
        """The input of a translating network for a user's picture: (channels, h, w) in `range`."""
        return self.to_range(torch.from_numpy(condition_of(picture, "beside", self.channels)))

    def pictures(self, samples: Tensor) -> Tensor:
        """Pictures for people of samples in `range`: uint8 (n, 1 or 3, height, width)."""
        return to_uint8(samples, self.range)

    def overview(self, batch: Batch) -> Tensor:
        """One picture (c, H, W) uint8 for people that shows a batch of training."""
        return grid(self.pictures(batch["real"]))

    def sheet(self, made: Tensor, batch: Batch, columns: int | None = None) -> Tensor:
        """One picture (c, H, W) uint8 for people of the samples `made` from `batch`."""
        return grid(self.pictures(made), columns)

    def previews(self, n: int) -> Batch:
        """A fixed batch, on the CPU, for pictures of the training's progress."""
        return (self.held_out() if self.previews_unseen and self.holdout else self).examples(n)

    def facts(self) -> dict[str, str]:
        """The facts that `gantrain data` prints."""
        megabytes = sum(file.stat().st_size for file in self.cached.place.iterdir()) / 1e6
        return {
            "images": f"{len(self):,}",
            **told(self.source, self.cached),
            "training": self.as_trained(),
            "cache": f"{self.cached.place} ({megabytes:,.1f} MB)",
        }

    def as_trained(self) -> str:
        """The shape, range and batch size of training, in words."""
        shape, (low, high) = "x".join(map(str, self.shape)), self.range
        flipped = ", flipped at random" if self.flip else ""
        return f"{shape} in {low:g} to {high:g}, batches of {self.batch_size}{flipped}"

    def save(self, sample: Tensor, file: Path) -> None:
        """Write one sample in `range` to `file`, whose suffix is one of `formats`."""
        to_pil(self.pictures(sample[None])[0]).save(file)

    def take(self, indices: np.ndarray) -> Batch:
        """These samples as a batch, on the CPU, not augmented."""
        return self.normalise(self.stored(indices, indices))

    @property
    def labels(self) -> np.ndarray | None:
        """The samples' class numbers (n,), or None."""
        return self.cached.labels

    def name(self, index: int) -> str:
        """The name of a sample in its source."""
        return self.source.name(int(self.cached.rows[index]))

    def examples(self, n: int) -> Batch:
        """The first `n` samples of the training's order as a batch, on the CPU."""
        return self.normalise(next(self.loader(Batches(n, 0))))


def for_device(data: GANDataModule, batches: Batches, device: torch.device) -> Iterator[Batch]:
    """The stored batches for training on `device`: on a GPU from its own memory, or fetched ahead by a thread."""
    if device.type == "cpu":
        return data.loader(batches)
    if data.on_device == "auto" and data.caches and fits([getattr(data, name) for name in data.caches], device):
        there = copy.copy(data)
        for name in data.caches:
            setattr(there, name, OnDevice(getattr(data, name), device))
        return there.loader(batches)
    return ahead(data.loader(batches))
