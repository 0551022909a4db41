"""`key=value` words that change the config of a run that is there, in the language of training."""

from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gantrain.config.compose import sentence
from gantrain.config.overrides import as_text
from gantrain.config.stages import LENGTHS
from gantrain.errors import UserError, did_you_mean
from gantrain.folders import configs_folder


def read(word: str) -> tuple[str, Any]:
    """The key of `key=value` and what training would read in the value. Raises UserError."""
    try:
        (override,) = OverridesParser.create().parse_overrides([as_text(word)])
        if override.is_delete():
            raise UserError(f"'{word}' is no override; write key=value")
        if override.is_sweep_override():
            raise UserError(f"'{word}' has several values; a run takes one, a list stands in [], a text in quotes")
        key = override.get_key_element().lstrip("+")
        return key, OmegaConf.to_container(OmegaConf.create({key: override.value()}), resolve=True)[key]
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(sentence(error)) from error


def named(group: str, name: str, key: str) -> dict[str, Any]:
    """What configs/<group>/<name>.yaml says. Raises UserError, which begins with `key`, where there is none."""
    folder = configs_folder() / group
    names = [file.stem for file in folder.glob("*.yaml")]
    if name not in names:
        raise UserError(f"{key}: there is no '{name}'{did_you_mean(name, names)}")
    return OmegaConf.to_container(OmegaConf.load(folder / f"{name}.yaml"))


def apply(config: dict[str, Any], key: str, value: Any) -> None:
    """Set one key of a run's config. Raises UserError for a key that would make it another run."""
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
        config[key] = None if value in ("none", "null") else named(key, value, key)  # null: as the run's own config
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
