"""The stages of a run and their parts of its config."""

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from gantrain.errors import UserError

LENGTHS = ("iterations", "epochs")
PARTS = ("data", "networks", "losses", "models")
STAGE_KEYS = (*PARTS, *LENGTHS)
SET = "set"  # single keys of the parts, which a stage states instead of a whole part
STATED = ", ".join((*STAGE_KEYS, SET))
ONLY_STAGE = "train"  # the name of the one stage of a run that does not state any


def set_length(node: dict[str, Any], key: str, value: Any) -> None:
    """Set one of the two lengths, and the other to null."""
    node.update({**dict.fromkeys(LENGTHS), key: value})


def refuse_length_of_all(key: str, stages: Iterable[str]) -> NoReturn:
    """Raise UserError for a length at the root of a run with several stages."""
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


def apply_set(root: Mapping[str, Any], given: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """The stages of an unresolved config with the keys that their `set` names in place, and without it.

    A key is a path, as `data.size`, or keys that hold others; a stage's own part is changed where it states one, else
    a copy of the root's. Raises UserError, also for keys among those of the command line, `given`, that all stages set.
    """
    stages = root.get("stages") or {}
    told = {name: dict(_leaves(_set_of(name, stage))) for name, stage in stages.items()}
    for key in given:
        if stages and all(key in of_stage for of_stage in told.values()):
            ways = ", ".join(f"stages.{name}.{SET}.{key}=" for name in stages)
            raise UserError(f"{key}: every stage of this run sets it for itself; use {ways}")
    placed = {}
    for name, stage in stages.items():
        node = {key: copy.deepcopy(value) for key, value in stage.items() if key != SET}
        for key, value in told[name].items():
            _place(node, root, key, value, f"stages.{name}.{SET}")
        placed[name] = node
    return placed


def _set_of(name: str, stage: Mapping[str, Any]) -> Mapping[str, Any]:
    node = stage.get(SET) or {}
    if not isinstance(node, Mapping):
        raise UserError(f"stages.{name}.{SET} is {node!r}; it holds keys with values, as {{data.size: 16}}")
    return node


def _leaves(node: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a node by their paths; one that holds others is none, unless it is empty."""
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _place(node: dict[str, Any], root: Mapping[str, Any], key: str, value: Any, where: str) -> None:
    """Put a value into its place in a stage's node, which takes the root's part of that name where it has none."""
    part, *path = key.split(".")
    if part in LENGTHS:
        raise UserError(f"{where}.{key}: a length stands beside {SET}, as {where.removesuffix(SET)}{key}")
    if part not in PARTS or not path:
        raise UserError(f"{where}.{key}: a stage sets single keys of {', '.join(PARTS)}; all else is the whole run's")
    if part not in node:
        node[part] = copy.deepcopy(root.get(part) or {})
    place, *above = node[part], *path[:-1]
    for name in above:
        place = place.setdefault(name, {}) if isinstance(place, dict) else None
    if not isinstance(place, dict):
        raise UserError(f"{where}.{key}: {key.rpartition('.')[0]} holds no keys")
    place[path[-1]] = value
