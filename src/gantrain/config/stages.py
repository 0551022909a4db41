"""The stages of a run and their part of its config."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from gantrain.errors import UserError

LENGTHS = ("iterations", "epochs")
STAGE_KEYS = ("data", "networks", "losses", "models", *LENGTHS)
ONLY_STAGE = "train"  # the name of the one stage of a run that does not state any


def set_length(node: dict[str, Any], key: str, value: Any) -> None:
    """Set one of the lengths, which takes the other's place."""
    node.update({**dict.fromkeys(LENGTHS), key: value})


def refuse_length_of_all(key: str, stages: Iterable[str]) -> NoReturn:
    """Raise UserError for a length of a whole run of several stages."""
    ways = ", ".join(f"stages.{name}.{key}=" for name in stages)
    raise UserError(f"{key}: this run has several stages, each with its own length; use {ways}")


@dataclass
class Stage:
    """One stage's part of a run: its name, `tag` (its name where there are several) and its resolved config."""

    name: str
    tag: str
    config: dict[str, Any]

    def key(self, key: str) -> str:
        """A key of the stage by its place in the run's config: `stages.gan.data`, or `data` of the only stage."""
        return f"stages.{self.tag}.{key}" if self.tag else key


def stages_of(config: Mapping[str, Any]) -> list[Stage]:
    """The stages of a run's config, in order; a run without stages is one stage."""
    if not config.get("stages"):
        return [Stage(ONLY_STAGE, "", dict(config))]
    root = {key: value for key, value in config.items() if key != "stages"}
    return [Stage(name, name, {**root, **stage}) for name, stage in config["stages"].items()]
