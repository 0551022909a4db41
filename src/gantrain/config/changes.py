"""`key=value` words that change the config of a run that is there."""

from pathlib import Path
from types import NoneType
from typing import Any

import yaml

from gantrain.config.paths import place_of
from gantrain.config.stages import LENGTHS
from gantrain.errors import UserError
from gantrain.folders import configs_folder


def read(override: str) -> tuple[str, Any]:
    """`key=value` as the key and what YAML reads in the value."""
    key, equals, text = override.partition("=")
    if not equals:
        raise UserError(f"'{override}' is no override; write key=value")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{key}: cannot read the value '{text}'") from error
    if place_of(key) and not isinstance(value, (str, list, dict, NoneType)):
        value = text  # YAML takes 2024_01 for a number and 2024-01-01 for a day
    if key == "plugins" and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        raise UserError(f"plugins is '{text}'; write a list of modules, as plugins=[my_module]")
    return key, value


def evaluation_named(name: str) -> dict[str, Any] | None:
    """The node of configs/evaluation/<name>.yaml. Raises UserError where there is none."""
    folder = configs_folder() / "evaluation"
    names = sorted(file.stem for file in folder.glob("*.yaml"))
    if name not in names:
        raise UserError(f"evaluation: there is no '{name}'; there are {', '.join(names)}")
    return None if name == "none" else yaml.safe_load((folder / f"{name}.yaml").read_text())


def apply(config: dict[str, Any], override: str) -> None:
    """Set one key of a run's config. Raises UserError for a key that would make it another run."""
    key, value = read(override)
    path = key.split(".")
    stages = config.get("stages") or {}
    if key in ("data.root", "data.cache_dir"):
        if not isinstance(value, str) or not value.strip():
            raise UserError(f"{key} is {value!r}, it must be a folder")
        for node in [config, *stages.values()]:
            if node.get("data"):
                node["data"][path[1]] = str(Path(value).expanduser().absolute())
        return
    if stages and path[0] in LENGTHS:
        ways = ", ".join(f"stages.{name}.{key}=" for name in stages)
        raise UserError(f"{key}: this run has several stages, each with its own length; use {ways}")
    if path[0] == "stages" and len(path) == 3 and path[2] in LENGTHS:
        if path[1] not in stages:
            raise UserError(f"{key}: there is no stage '{path[1]}'; there are {', '.join(stages) or 'none'}")
        node = stages[path[1]]
        node[LENGTHS[1 - LENGTHS.index(path[2])]] = None
        node[path[2]] = value
        return
    allowed = key in LENGTHS or path[0] in ("trainer", "logger", "evaluation")
    if not allowed or key == "trainer.precision":
        raise UserError(
            f"{key}: a resumed run keeps its config; only iterations, epochs, trainer.* but precision, data.root and "
            f"cache_dir, logger and evaluation may change; for anything else start a new run with init_from=RUN"
        )
    if key == "evaluation" and isinstance(value, str):
        config["evaluation"] = evaluation_named(value)
        return
    if key in LENGTHS:
        config[LENGTHS[1 - LENGTHS.index(key)]] = None
    if len(path) == 1 and key not in (*LENGTHS, "evaluation"):
        raise UserError(f"{key}: a resumed run changes single keys of it, such as trainer.devices=2")
    node = config
    for part in path[:-1]:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise UserError(f"{key}: {part} holds no keys")
    node[path[-1]] = value
