"""From a composed config to the config of a run: lengths, debug, stages, interpolations, checks."""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gantrain.checks import LARGEST_SEED
from gantrain.errors import UserError, did_you_mean
from gantrain.files import UNTRAINED
from gantrain.places import held

LENGTHS = ("iterations", "epochs")
STAGE_KEYS = ("data", "networks", "losses", "models", *LENGTHS)
ROOT_KEYS = (
    *STAGE_KEYS,
    *("seed", "trainer", "callbacks", "logger", "evaluation", "stages", "init_from", "plugins", "debug", "name"),
)
TRAINER_KEYS = (
    "accelerator",
    "devices",
    "precision",
    "threads",
    "benchmark",
    "deterministic",
)
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
ONLY_STAGE = "train"  # the name of the one stage of a run that does not state any


@dataclass
class Stage:
    """One stage's part of a run: its name, `tag` (its name where there are several) and its resolved config."""

    name: str
    tag: str
    config: dict[str, Any]


def finalise(composed: DictConfig, overrides: Sequence[str]) -> dict[str, Any]:
    """The resolved, checked config of a run in plain types; `overrides` are the command line's `key=value` words.

    Raises UserError, and OmegaConf's errors for interpolations that lead nowhere.
    """
    root = OmegaConf.to_container(composed, resolve=False)
    given = {word.lstrip("+~").partition("=")[0] for word in overrides}
    if unknown := [key for key in root if key not in ROOT_KEYS]:
        raise UserError(f"{unknown[0]}: there is no such key{did_you_mean(unknown[0], ROOT_KEYS)}")
    debug = root.pop("debug", None)
    _check_stages(root.get("stages"))
    _settle_lengths(root, given, debug)
    stages = root.pop("stages", None)
    if not stages:
        _check_parts(root, "")
        final = _resolve(root)
        _check_classes(root, final, "")
        final["stages"] = None
    else:
        final = _resolve({k: v for k, v in root.items() if k not in STAGE_KEYS})
        final["stages"] = {}
        for name, stated in stages.items():
            replaced = _replace(root, stated)
            _check_parts(replaced, f"stages.{name}.")
            resolved = _resolve(replaced)
            _check_classes(replaced, resolved, f"stages.{name}.")
            final["stages"][name] = {key: resolved.get(key) for key in STAGE_KEYS}
    for place, node, key, _ in held(final):
        if place.certain and type(node[key]) is int:
            node[key] = str(node[key])  # a folder may be called 2024
    check(final)
    if debug is not None:
        _shrink(final, debug)
    return final


def stages_of(config: Mapping[str, Any]) -> list[Stage]:
    """The stages of a run's config, in order; a run without stages is one stage."""
    if not config.get("stages"):
        return [Stage(ONLY_STAGE, "", dict(config))]
    root = {key: value for key, value in config.items() if key != "stages"}
    return [Stage(name, name, {**root, **stage}) for name, stage in config["stages"].items()]


def _check_stages(stages: Any) -> None:
    _mapping({"stages": stages}, "stages", "")
    for name, stage in (stages or {}).items():
        if not isinstance(stage, Mapping):
            raise UserError(f"stages.{name} is {stage!r}; a stage states {', '.join(STAGE_KEYS)}, or is left out")


def _settle_lengths(root: dict, given: set[str], debug: Mapping | None) -> None:
    stages = root.get("stages") or {}
    if stages and any(root.get(key) is not None for key in LENGTHS):
        key = next(key for key in LENGTHS if root.get(key) is not None)
        ways = ", ".join(f"stages.{name}.{key}=" for name in stages)
        raise UserError(f"{key}: this run has several stages, each with its own length; use {ways}")
    for prefix, node in [(f"stages.{name}.", stage) for name, stage in stages.items()] or [("", root)]:
        if unknown := [key for key in node if stages and key not in STAGE_KEYS]:
            raise UserError(f"{prefix}{unknown[0]}: a stage may state {', '.join(STAGE_KEYS)}")
        stated = [key for key in LENGTHS if prefix + key in given and node.get(key) is not None]
        if debug is not None and not stated:
            node["iterations"], stated = debug["iterations"], ["iterations"]
        if len(stated) == 1:  # the command line's length replaces the experiment's
            node[LENGTHS[1 - LENGTHS.index(stated[0])]] = None
        present = [key for key in LENGTHS if node.get(key) is not None]
        if len(present) == 2:
            raise UserError(f"{prefix}iterations and {prefix}epochs are both set; set one and leave the other null")
        if not present:
            raise UserError(f"{prefix}iterations: no length is set; set {prefix}iterations= or {prefix}epochs=")


def _replace(root: dict, stated: Mapping[str, Any]) -> dict:
    """The root as a stage sees it: every key that the stage states replaces the root's node."""
    stage = copy.deepcopy(root)
    for key in LENGTHS:
        stage[key] = None
    stage.update(copy.deepcopy(dict(stated)))
    return stage


def _resolve(node: dict) -> dict[str, Any]:
    return OmegaConf.to_container(OmegaConf.create(node), resolve=True, throw_on_missing=True)


def _shrink(config: dict, debug: Mapping) -> None:
    """`debug=tiny`: synthetic data of the same shape, narrow networks, a batch that fits.

    A frozen network, in a loss or for itself, is a narrow untrained one: there may be no file of weights.
    """
    for place, node, key, _ in held(config):
        if place.frozen and isinstance(node[key], (str, NoneType)):
            node[key] = UNTRAINED
            _narrow(node, debug)
    for stage in stages_of(config):
        for network in stage.config["networks"].values():
            _narrow(network, debug)
        data = stage.config["data"]
        data["dataset"] = {**debug["dataset"], "classes": data.get("classes")}
        data["batch_size"] = min(data["batch_size"], debug["batch_size"])
    evaluation = config.get("evaluation") or {}
    if "samples" in evaluation:
        evaluation["samples"] = min(evaluation["samples"], debug["samples"])
    if evaluation.get("backbone") == "dataset":
        # Made-up classes teach a classifier nothing, and what only a classifier gives is then not measured.
        evaluation |= {"backbone": "random", **{key: None for key in ("scores", "best") if key in evaluation}}


def _narrow(node: dict, debug: Mapping) -> None:
    if "width" in node:
        node["width"] = min(node["width"], debug["width"])


def check(config: Mapping[str, Any]) -> None:
    """Raise UserError for a value that no run can have, naming its key."""
    _check_root(config)
    _check_trainer(config.get("trainer"))
    for stage in stages_of(config):
        _check_stage(stage)
    for place, node, key, whole in held(config):
        value = node[key]
        if place.certain and value is not None and not (isinstance(value, str) and value.strip()):
            kind = "folder" if place.kind == "folder" else "file"
            raise UserError(f"{whole} is {value!r}, it must be the name of a {kind}, or null")


def _check_root(config: Mapping[str, Any]) -> None:
    _whole(config.get("seed"), "seed", least=0)
    if config["seed"] > LARGEST_SEED:
        raise UserError(f"seed is {config['seed']}, it must be at most {LARGEST_SEED}")
    plugins = config.get("plugins")
    if plugins is not None and not (isinstance(plugins, list) and all(isinstance(name, str) for name in plugins)):
        raise UserError(f"plugins is {plugins!r}; write a list of modules, as plugins=[my_module]")
    evaluation = config.get("evaluation")
    if evaluation is not None and not (isinstance(evaluation, Mapping) and "_target_" in evaluation):
        raise UserError(
            f"evaluation is {evaluation!r}; choose evaluation=none, dataset, tf or random, or change single keys of it"
        )
    if config.get("callbacks") is None:
        raise UserError("callbacks: nothing is set; leave the key out, and null those that you do without by name")
    for key in ("callbacks", "logger"):
        if not isinstance(config.get(key) or {}, Mapping):
            raise UserError(f"{key} is {config[key]!r}; change single keys of it")
    for name in config.get("logger") or {}:
        _name(name, f"logger.{name}")


def _check_trainer(trainer: Any) -> None:
    if not isinstance(trainer, Mapping):
        raise UserError(
            "trainer: it holds accelerator, devices and precision; change one of them, as trainer.devices=2"
        )
    if unknown := [key for key in trainer if key not in TRAINER_KEYS]:
        raise UserError(f"trainer.{unknown[0]}: there is no such key{did_you_mean(unknown[0], TRAINER_KEYS)}")
    _whole(trainer.get("devices"), "trainer.devices", least=1)
    if trainer.get("precision") not in PRECISIONS:
        raise UserError(f"trainer.precision is '{trainer.get('precision')}', it must be one of {', '.join(PRECISIONS)}")
    if trainer.get("threads") is not None:
        _whole(trainer["threads"], "trainer.threads", least=1)
    for key in ("benchmark", "deterministic"):
        if not isinstance(trainer.get(key, False), bool):
            raise UserError(f"trainer.{key} is {trainer[key]!r}, it must be true or false")


def _check_stage(stage: Stage) -> None:
    prefix, config = f"stages.{stage.tag}." if stage.tag else "", stage.config
    if stage.tag:
        _name(stage.tag, f"stages.{stage.tag}")
    stated = [key for key in LENGTHS if config.get(key) is not None]
    if len(stated) != 1:
        raise UserError(f"{prefix}iterations and {prefix}epochs: one of them is set, the other null")
    _whole(config[stated[0]], prefix + stated[0], least=1)
    _check_parts(config, prefix)
    for key in ("losses", "losses.penalties", "models.players", "models.ema"):
        _mapping(config, key, prefix)
    for name, node in (config["models"].get("players") or {}).items():
        _name(name, f"{prefix}models.players.{name}")
        if not isinstance(node, Mapping):
            raise UserError(
                f"{prefix}models.players.{name} is {node!r}; it must hold networks and an optimizer, or be left out"
            )
    for name, node in config["networks"].items():
        _name(name, f"{prefix}networks.{name}")
        if not isinstance(node, Mapping):
            raise UserError(f"{prefix}networks.{name} is {node!r}; it must name a class with _target_")
        for key in {"width", "z_dim"} & set(node):
            _whole(node[key], f"{prefix}networks.{name}.{key}", least=1)
    _whole(config["data"].get("batch_size"), f"{prefix}data.batch_size", least=1)
    _whole(config["data"].get("size"), f"{prefix}data.size", least=1)
    if config["data"].get("classes") is not None:
        _whole(config["data"]["classes"], f"{prefix}data.classes", least=1)


def _check_parts(node: Mapping[str, Any], prefix: str) -> None:
    for key in ("data", "networks", "models"):
        if not isinstance(node.get(key), Mapping):
            raise UserError(f"{prefix}{key}: nothing is set; choose an experiment= or state {key}")


def _check_classes(stated: Mapping[str, Any], resolved: Mapping[str, Any], prefix: str) -> None:
    """Raise UserError for a game of other classes than the data's; one that follows them must not become one of none.

    Only new runs are checked: what was trained with fewer classes can still be used.
    """
    if stated["models"].get("classes") is None:
        return
    asked, there = resolved["models"]["classes"], resolved["data"].get("classes")
    if there is None:
        raise UserError(
            "data.classes: a conditional game needs classes; put pictures into class folders and set data.classes=N"
        )
    if asked != there:
        raise UserError(
            f"{prefix}models.classes is {asked!r}, but data.classes is {there!r}; leave it out, as "
            f"models=conditional takes data.classes"
        )


def _name(name: Any, key: str) -> None:
    """Names become folders, tags and attributes; none may lead out of the run's directory."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise UserError(f"{key}: a name is made of letters, digits, _ and -, not {name!r}")


def _mapping(config: Mapping[str, Any], key: str, prefix: str) -> None:
    parent, _, name = key.rpartition(".")
    node = ((config.get(parent) or {}) if parent else config).get(name)
    if not isinstance(node or {}, Mapping):
        raise UserError(f"{prefix}{key} is {node!r}; change single keys of it")


def _whole(value: Any, key: str, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UserError(f"{key} is {value!r}, it must be a whole number of {least} or more")
