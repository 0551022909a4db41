"""The stages of a run and their part of its config."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LENGTHS = ("iterations", "epochs")
STAGE_KEYS = ("data", "networks", "losses", "models", *LENGTHS)
ONLY_STAGE = "train"  # the name of the one stage of a run that does not state any


@dataclass
class Stage:
    """One stage's part of a run: its name, `tag` (its name where there are several) and its resolved config."""

    name: str
    tag: str
    config: dict[str, Any]

    def key(self, key: str) -> str:
        """A key of the stage by its place in the run's config: `stages.gan.data`, or `data` of the only stage."""
        return f"stages.{self.tag}.{key}" if self.tag else key

    def tagged(self, word: str, sign: str = "/") -> str:
        """What is the stage's among others': `gan/samples`, or the word alone of the only stage."""
        return f"{self.tag}{sign}{word}" if self.tag else word


def stages_of(config: Mapping[str, Any]) -> list[Stage]:
    """The stages of a run's config, in order; a run without stages is one stage."""
    if not config.get("stages"):
        return [Stage(ONLY_STAGE, "", dict(config))]
    root = {key: value for key, value in config.items() if key != "stages"}
    return [Stage(name, name, {**root, **stage}) for name, stage in config["stages"].items()]
