"""What every dataset offers: samples one by one, read only to fill the cache."""

from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image


class Source(Protocol):
    """An opened dataset.

    `fingerprint` changes when the data do. `labels` are class numbers (n,) or None. `read` gives one picture as it is
    stored, or raises OSError or ValueError where it cannot be read; `name` says which one that is.
    """

    fingerprint: str
    labels: np.ndarray | None

    def __len__(self) -> int: ...

    def read(self, index: int) -> Image.Image: ...

    def name(self, index: int) -> str: ...


class Dataset(Protocol):
    """What `data.dataset` names: knows a format, finds its files under `root`."""

    def open(self, root: Path | None) -> Source:
        """Raises UserError that names the folder or file where something is missing or damaged."""
        ...
