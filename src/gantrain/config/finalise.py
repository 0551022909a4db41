"""From a composed config to the config of a run: lengths, debug, stages, interpolations, checks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gantrain.config.build import allow_plugins, check_options
from gantrain.config.checks import ROOT_KEYS, check, check_classes, check_parts, check_stages
from gantrain.config.paths import held
from gantrain.config.stages import (
    LENGTHS,
    ONLY_STAGE,
    STAGE_KEYS,
    STATED,
    Stage,
    apply_set,
    refuse_length_of_all,
    set_length,
    stages_of,
)
from gantrain.config.words import parted
from gantrain.errors import UserError, did_you_mean
from gantrain.files import UNTRAINED
from gantrain.folders import data_folder


def either(*values: Any) -> Any:
    """The first value that is not null, for YAML: `${either:${models.classes},${models.clusters}}`."""
    return next((value for value in values if value is not None), None)


OmegaConf.register_new_resolver("either", either, replace=True)


def finalise(composed: DictConfig, overrides: Sequence[str]) -> dict[str, Any]:
    """The resolved, checked config of a run in plain types; `overrides` are the command line's `key=value` words.

    Raises UserError, and OmegaConf's errors for interpolations that lead nowhere.
    """
    root: Any = OmegaConf.to_container(composed, resolve=False)
    given = {parted(word).key for word in overrides}
    if unknown := [key for key in root if key not in ROOT_KEYS]:
        raise UserError(f"{unknown[0]}: there is no such key{did_you_mean(unknown[0], ROOT_KEYS)}")
    debug = root.pop("debug", None)
    check_stages(root.get("stages"))
    root["stages"] = apply_set(root, given)
    _settle_lengths(root, given, debug)
    stages = root.pop("stages", None) or None
    resolved: dict[str, dict[str, Any]] = {}
    for stage in stages_of({**root, "stages": stages}):
        check_parts(stage)
        resolved[stage.name] = _resolve(stage.config)
        check_classes(stage, resolved[stage.name], given)
    if stages:
        final = _resolve({key: value for key, value in root.items() if key not in STAGE_KEYS})
        final["stages"] = {name: {key: part.get(key) for key in STAGE_KEYS} for name, part in resolved.items()}
    else:
        final = resolved[ONLY_STAGE]
    for place, node, key, _ in held(final):
        if place.certain and type(node[key]) is int:
            node[key] = str(node[key])  # a folder may be called 2024
    check(final)
    if debug is not None:
        _shrink(final, debug)
    return final


def _settle_lengths(root: dict, given: set[str], debug: Mapping | None) -> None:
    stages = root.get("stages") or {}
    for key in LENGTHS:
        if stages and root.get(key) is not None:
            refuse_length_of_all(key, stages)
    for stage in [Stage(name, name, node) for name, node in stages.items()] or [Stage(ONLY_STAGE, "", root)]:
        node = stage.config
        if unknown := [key for key in node if stages and key not in STAGE_KEYS]:
            raise UserError(f"{stage.key(unknown[0])}: a stage may state {STATED}")
        stated = [key for key in LENGTHS if stage.key(key) in given and node.get(key) is not None]
        if debug is not None and not stated:
            set_length(node, "iterations", debug["iterations"])
        elif len(stated) == 1:  # the command line's length replaces the experiment's
            set_length(node, stated[0], node[stated[0]])


def _resolve(node: dict) -> dict[str, Any]:
    resolved: Any = OmegaConf.to_container(OmegaConf.create(node), resolve=True, throw_on_missing=True)
    return resolved


def _shrink(config: dict, debug: Mapping) -> None:
    """`debug=tiny`: synthetic data of the same shape, narrow networks, a batch that fits.

    A frozen network, in a loss or for itself, is a narrow untrained one: there may be no file of weights.
    """
    allow_plugins(config.get("plugins") or [])
    for place, node, key, _ in held(config):
        if place.frozen and isinstance(node[key], (str, NoneType)):
            node[key] = UNTRAINED
            _narrow(node, debug)
    for stage in stages_of(config):
        for network in stage.config["networks"].values():
            _narrow(network, debug)
        data = stage.config["data"]
        check_options(data.get("dataset"), stage.key("data.dataset"))  # it is replaced, so nothing else checks it
        data["dataset"] = {**debug["dataset"], "classes": data.get("classes")}
        data["batch_size"] = min(data["batch_size"], debug["batch_size"])
        if "count" in data:  # of pictures that are put together
            data["count"] = min(data["count"], debug["dataset"]["count"])
    evaluation = config.get("evaluation") or {}
    if "samples" in evaluation:
        evaluation["samples"] = min(evaluation["samples"], debug["samples"])
    if evaluation.get("backbone") == "dataset":
        # Made-up classes teach a classifier nothing, and what only a classifier gives is then not measured.
        evaluation |= {"backbone": "random", **{key: None for key in ("scores", "best") if key in evaluation}}


def _narrow(node: dict, debug: Mapping) -> None:
    if "width" in node:
        node["width"] = min(node["width"], debug["width"])


def make_absolute(config: dict[str, Any]) -> None:
    """A run remembers where its files are, from wherever it is resumed."""
    for stage in stages_of(config):
        data = stage.config["data"]
        data["root"] = data.get("root") or str(data_folder())
    for place, node, key, _ in held(config):
        if place.is_path(node[key]):
            node[key] = str(Path(node[key]).expanduser().absolute())
