"""What every dataset offers: samples one by one, read only to fill the cache."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy as np
from PIL import Image

from gantrain.data.formats.decode import Framing


class Source:
    """An opened dataset, whose samples have `names`; it can be pickled, for the processes that decode.

    `fingerprint` changes when the data change. `labels` are class numbers (n,) or None, `class_names` their names or
    None. `framing` says how files of any shape are cut; None means arrays of one shape, which are squashed or enlarged.
    `dropped` counts unusable files, or rows of a list, by reason. `captions` are the texts of each sample, and
    `embeddings` (n, k, d) float32 precomputed embeddings of them; or None. Volumes have `volume(index)`, a cube of
    bool, instead of `read`; it raises Unreadable.
    """

    names: Sequence[str]
    fingerprint: str
    labels: np.ndarray | None = None
    class_names: Sequence[str] | None = None
    framing: Framing | None = None
    captions: Sequence[Sequence[str]] | None = None
    embeddings: np.ndarray | None = None
    dropped: Mapping[str, int] = MappingProxyType({})

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        return self.names[index]

    def group(self, index: int) -> str | None:
        """A name shared by samples that must all be in training or all held out; None: it follows from `names`."""
        return None

    def volume(self, index: int) -> np.ndarray:
        raise NotImplementedError

    def read(self, index: int) -> Image.Image:
        """One picture as it is stored, perhaps not loaded yet. Raises what Pillow raises."""
        raise NotImplementedError


def fingerprint_of(*words: str, more: bytes = b"") -> str:
    """A hash of words, which may be names of files in any encoding, and of `more`."""
    return hashlib.blake2b("\0".join(words).encode("utf-8", "surrogatepass") + more, digest_size=16).hexdigest()


class Dataset(Protocol):
    """The class that `data.dataset` names: it knows a format and finds its files under `root`.

    It may come from any package. Optional attributes: `framing` (how pictures are cut); `held_out()`, the dataset of
    its test split, with `has_held_out` where only `open` can tell whether there is one; `reads_root`, False for data
    that come with a package.
    """

    def open(self, root: Path | None) -> Source:
        """Raises UserError that names the folder or file where something is missing or damaged."""
        ...


@runtime_checkable
class OfSomeClasses(Dataset, Protocol):
    """A dataset that opens only the classes that its options name."""

    def every_class(self) -> Dataset:
        """The same with all classes that are there."""
        ...
