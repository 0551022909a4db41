"""`key=value` words that change the config of a run that is there, in the language of training."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gantrain.config.compose import sentence
from gantrain.config.keys import keys_of, meant
from gantrain.config.overrides import as_text
from gantrain.config.stages import LENGTHS, refuse_length_of_all, set_length, stages_of
from gantrain.errors import UserError, did_you_mean
from gantrain.folders import configs_folder

# What may change in the middle of a run, though its bits are then another run's: its moments and counters stay.
MOVING = re.compile(
    r"(stages\.[\w-]+\.)?(data\.batch_size|models\.players\.[\w-]+\.(optimizer\.(lr|betas|weight_decay)|schedule(\..+)?))"
)

WATCHING = "callbacks.health.on"  # what an unhealthy game leads to: nothing of what is trained


def read(word: str) -> tuple[str, Any]:
    """The key of `key=value` and what training would read in the value. Raises UserError."""
    try:
        (override,) = OverridesParser.create().parse_overrides([as_text(word)])
        if override.is_delete():
            raise UserError(f"'{word}' is no override; write key=value")
        if override.is_sweep_override():
            raise UserError(f"'{word}' has several values; a run takes one, a list stands in [], a text in quotes")
        key = override.get_key_element().lstrip("+")
        node: Any = OmegaConf.to_container(OmegaConf.create({key: override.value()}), resolve=True)
        return key, node[key]
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(sentence(error)) from error


def named(group: str, name: str, key: str) -> dict[str, Any]:
    """What configs/<group>/<name>.yaml says. Raises UserError, which begins with `key`, where there is none."""
    folder = configs_folder() / group
    names = [file.stem for file in folder.glob("*.yaml")]
    if name not in names:
        raise UserError(f"{key}: there is no '{name}'{did_you_mean(name, names)}")
    node: Any = OmegaConf.to_container(OmegaConf.load(folder / f"{name}.yaml"))
    return node


def apply(config: dict[str, Any], key: str, value: Any) -> None:
    """Set one key of a run's config. Raises UserError for a key that would make it another run."""
    path = key.split(".")
    stages = config.get("stages") or {}
    if key in ("data.root", "data.cache_dir"):
        if not isinstance(value, str) or not value.strip():
            raise UserError(f"{key} is {value!r}, it must be a folder")
        for stage in stages_of(config):
            stage.config["data"][path[1]] = str(Path(value).expanduser().absolute())
    elif stages and path[0] in LENGTHS:
        refuse_length_of_all(key, stages)
    elif key in LENGTHS:
        set_length(config, key, value)
    elif path[0] == "stages" and len(path) == 3 and path[2] in LENGTHS:
        if path[1] not in stages:
            raise UserError(f"{key}: there is no stage '{path[1]}'; there are {', '.join(stages) or 'none'}")
        set_length(stages[path[1]], path[2], value)
    elif MOVING.fullmatch(key):
        _set_moving(config, key, value)
    elif (key != WATCHING and path[0] not in ("trainer", "logger", "evaluation")) or key == "trainer.precision":
        known = list(keys_of(config))
        near = "" if key in known else meant(key, filter(may_change, known), outside=())
        near = near and f"{near}; else"
        raise UserError(
            f"{key}: a resumed run keeps its config{near or ';'} only iterations, epochs, trainer.* but precision, "
            f"data.root, data.cache_dir, data.batch_size, rates and schedules of players, logger, evaluation and "
            f"callbacks.health.on may change; for anything else start a new run with init_from=RUN"
        )
    elif key == "evaluation" and isinstance(value, str):
        config[key] = None if value in ("none", "null") else named(key, value, key)  # null: as the run's own config
    elif len(path) == 1 and key != "evaluation":
        raise UserError(f"{key}: a resumed run changes single keys of it, such as trainer.devices=2")
    else:
        node = config
        for part in path[:-1]:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise UserError(f"{key}: {part} holds no keys")
        node[path[-1]] = value
        if key in ("evaluation.backbone", "evaluation.judge"):
            from gantrain.networks.torchscript import trust_backbone  # torch: other keys are read without

            trust_backbone(value)  # the user has named it


def may_change(key: str) -> bool:
    """Whether a resumed run takes another value for this key."""
    first, last = key.partition(".")[0], key.rpartition(".")[2]
    return (
        bool(MOVING.fullmatch(key))
        or key in ("data.root", "data.cache_dir", WATCHING)
        or (first in (*LENGTHS, "stages") and last in LENGTHS)
        or (first in ("trainer", "logger", "evaluation") and key != "trainer.precision")
    )


def _set_moving(config: dict[str, Any], key: str, value: Any) -> None:
    node, (*above, last) = config, key.split(".")
    for part in above:
        if not isinstance(node.get(part), dict):
            raise UserError(f"{key}: this run has no {part} there{meant(last, keys_of(config))}")
        node = node[part]
    node[last] = value


def moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What moves the bits of a run from here on, a line for each key that has changed: `key: old to new`."""
    old, new = _moving(before), _moving(after)
    return [f"{k}: {old.get(k)} to {new.get(k)}" for k in {**old, **new} if old.get(k) != new.get(k)]


def _moving(node: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.items():
        if MOVING.fullmatch(f"{prefix}{key}"):
            found[f"{prefix}{key}"] = value
        elif isinstance(value, dict):
            found |= _moving(value, f"{prefix}{key}.")
    return found
