"""The keys of a config that hold folders and files: one list for all code that reads, checks or moves them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gantrain.files import TORCHSCRIPT, UNTRAINED

HUB = "hf://"  # in front of the name of a run on the Hugging Face Hub, where a folder may stand


@dataclass(frozen=True)
class Place:
    """A key that holds a folder, a file, or the `name` of a file in data.root; `*` in it is any name.

    `frozen` is a file with the weights of a frozen network, for which the word `untrained` may stand. Where there are
    `suffixes`, what ends otherwise is a word, not a file.
    """

    key: str
    kind: Literal["folder", "file", "name"]
    frozen: bool = False
    suffixes: tuple[str, ...] = ()

    @property
    def certain(self) -> bool:
        """Whether the key always means this; with `*` a user's own class may have another option of that name."""
        return "*" not in self.key

    def is_path(self, value: Any) -> bool:
        """Whether `value` is the path of a folder, or of a file that is there."""
        if not isinstance(value, str) or self.kind == "name":
            return False
        if self.kind == "folder":
            return not value.startswith(HUB)
        word = value == UNTRAINED or (self.suffixes and not value.endswith(self.suffixes))
        return not word and Path(value).expanduser().is_file()


PLACES = (
    Place("data.root", "folder"),
    Place("data.cache_dir", "folder"),
    Place("data.dataset.table", "name"),
    Place("data.dataset.captions_root", "folder"),
    Place("data.dataset.embeddings", "file"),
    Place("losses.*.weights", "file", frozen=True),
    Place("networks.*.path", "file", frozen=True),
    Place("evaluation.weights", "file"),
    Place("evaluation.backbone", "file", suffixes=TORCHSCRIPT),
    Place("evaluation.judge", "file"),
    Place("init_from", "folder"),
    Place("hydra.run.dir", "folder"),  # these two on the command line alone
    Place("hydra.sweep.dir", "folder"),
)
_PATTERNS = {
    place: re.compile(r"(stages\.[\w-]+\.)?" + re.escape(place.key).replace(r"\*", r"[\w-]+")) for place in PLACES
}


def place_of(key: str) -> Place | None:
    """The place that a key of the root or of a stage stands for, or None."""
    return next((place for place, pattern in _PATTERNS.items() if pattern.fullmatch(key)), None)


def held(node: Mapping[str, Any], above: str = "") -> Iterator[tuple[Place, Any, str, str]]:
    """All places in a run's config: each with the node that holds it, its key in that node and its full key."""
    for key, value in node.items():
        if place := place_of(f"{above}{key}"):
            yield place, node, key, f"{above}{key}"
        elif isinstance(value, Mapping):
            yield from held(value, f"{above}{key}.")
