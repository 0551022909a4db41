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

    Files whose shorter side is below `size` are an error unless `upsize`. Files that cannot be read are left out with a
    warning below 1% of them, or always with `on_error: skip`; else they are an error.

    `balance` draws rare classes more often: from 0, as they occur, to 1, all classes equally often.

    On a GPU all samples lie in its memory where they take a small share of it (`on_device: auto`), else batches are
    fetched ahead.

    `class_names` are those that a run has learnt by number; data of others are an error.

    `holdout` keeps some samples from training, a number of them (3) or a share (0.1); `held_out` gives them.

    Data of another kind than pictures of one size are a subclass with a `fill`, `check`, `stored`, `normalise` and
    `pictures` of its own, and `formats` in which `save` writes a sample.
    """

    formats: tuple[str, ...] = ("png",)
    verbs: tuple[str, ...] = ()  # what `gantrain VERB` can do with a run on such data, beside what its family says
    usual_evaluation: str | None = None  # that of configs/evaluation for such data; None: what the family says
    columns = ""  # what stands side by side in grids of such data
    scale: int | None = None  # how many times larger `real` is than `cond`, of pairs for super-resolution
    condition: Condition | None = None  # what a picture is translated from, of pairs
    half_of: Callable[[Image.Image], Image.Image] | None = None  # the input's half of a user's file that holds a pair
    # Those that may lie on a device. A subclass with a `stored` or `loader` of its own has none, unless it says so.
    caches: tuple[str, ...] = ("cached",)
    solid: Callable[[Tensor], Tensor] | None = None  # which voxels are occupied, of volumes
    turning: Callable[[Tensor], Tensor] | None = None  # pictures of samples from all around, of what has more sides
    trainer: Any  # Lightning's
    previews_unseen = False  # whether previews are of what `holdout` keeps, where it keeps any

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
        self.copied = np.empty(0, np.int64)  # rows of the source that are held out no more
        self._held_out: Self | None = None

    def open(self) -> Self:
        """Find the files and fill the cache; raises UserError where they do not fit the config."""
        self.fill()
        self.check()
        return self

    def fill(self) -> None:
        """Find the files and fill the cache, with whatever can be read."""
        self.source = self.opened()
        self.cached = open_cache(self.source, self.load_size, self.channels, self.cache_dir)

    def opened(self) -> Source:
        """The dataset's files, without those held out, or only these."""
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
        """How a user's picture becomes what training showed: as the dataset says, where it says anything."""
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
        """Hold out no picture that training sees under another name. Raises UserError where none is left."""
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
        """Raise UserError where what was found does not fit the config."""
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
        """`n` samples of zeros, of the kinds and shapes that training gets: for who has the run and not its data."""
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
        """The samples at these positions of the endless order, as `stored`, with a coin each where they are flipped."""
        order = IndexStream(len(self), self.seed, balanced(self.cached.labels, self.balance) if self.balance else None)
        for positions in batches:
            batch = self.stored(order(positions), positions)
            if self.flip:
                batch["flip"] = torch.from_numpy(coin(positions, derive_seed(self.seed, "flip")))
            yield batch

    def stored(self, indices: np.ndarray, positions: np.ndarray) -> Batch:
        """These samples as uint8; where they are cut at random, their `positions` say where."""
        batch = {"real": torch.as_tensor(self.cached.take(indices))}
        if self.cached.labels is not None:
            batch["cond"] = torch.from_numpy(self.cached.labels[indices])
        return batch

    def normalise(self, batch: Batch) -> Batch:
        """What is stored as networks see it, without the coins."""
        others = {key: value for key, value in batch.items() if key != "flip"}
        return {**others, "real": self.to_range(batch["real"], batch.get("flip"))}

    def to_range(self, pixels: Tensor, flip: Tensor | None = None) -> Tensor:
        """uint8 pixels to float in `range`, those pictures mirrored for which `flip` (n,) is true."""
        low, high = self.range
        floats = pixels.float().mul_((high - low) / 255).add_(low)
        return floats if flip is None else torch.where(flip.view(-1, 1, 1, 1), floats.flip(-1), floats)

    def condition_of(self, picture: Image.Image) -> Tensor:
        """What a network gets of a user's picture that it makes another of: (channels, h, w) in `range`."""
        return self.to_range(torch.from_numpy(condition_of(picture, "beside", self.channels)))

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
        return (self.held_out() if self.previews_unseen and self.holdout else self).examples(n)

    def facts(self) -> dict[str, str]:
        """What `gantrain data` tells of them."""
        megabytes = sum(file.stat().st_size for file in self.cached.place.iterdir()) / 1e6
        return {
            "images": f"{len(self):,}",
            **told(self.source, self.cached),
            "training": self.as_trained(),
            "cache": f"{self.cached.place} ({megabytes:,.1f} MB)",
        }

    def as_trained(self) -> str:
        """In what shape, range and batches training gets the samples, in words."""
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
    """The batches of a training on `device`; a GPU must not wait for them."""
    if device.type == "cpu":
        return data.loader(batches)
    if data.on_device == "auto" and data.caches and fits([getattr(data, name) for name in data.caches], device):
        there = copy.copy(data)
        for name in data.caches:
            setattr(there, name, OnDevice(getattr(data, name), device))
        return there.loader(batches)
    return ahead(data.loader(batches))
