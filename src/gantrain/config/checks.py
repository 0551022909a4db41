"""Checks of a run's config: each refusal names the key."""

import re
from collections.abc import Mapping, Set
from typing import Any, Literal

from gantrain.checks import LARGEST_SEED
from gantrain.config.build import expect
from gantrain.config.paths import held
from gantrain.config.stages import LENGTHS, STAGE_KEYS, STATED, Stage, stages_of
from gantrain.errors import UnknownKey, UserError, near, unknown_key

ROOT_KEYS = (
    *STAGE_KEYS,
    *("seed", "trainer", "callbacks", "logger", "evaluation", "stages", "init_from", "plugins", "debug", "name"),
)
ACCELERATORS = ("auto", "cpu", "gpu")
PENALTIES = ("r1", "r2", "gp", "div", "dragan", "path_length")  # the names that configs/losses give them
TRAINER = {  # what each of its keys may hold; of the first four more is asked
    **dict.fromkeys(("accelerator", "devices", "num_nodes", "threads"), Any),
    "precision": Literal["32-true", "bf16-mixed", "16-mixed"],
    "deterministic": bool,
    **dict.fromkeys(("benchmark", "tf32"), bool | None),
    **dict.fromkeys(("capture", "channels_last"), Literal["auto", "none"]),
    "compile": Literal["none", "default", "max-autotune"],
}


def check_stages(stages: Any) -> None:
    _mapping(stages, "stages")
    for name, stage in (stages or {}).items():
        if not isinstance(stage, Mapping):
            raise UserError(f"stages.{name} is {stage!r}; a stage states {STATED}, or is left out")


def check(config: Mapping[str, Any]) -> None:
    """Raise UserError, which names the key, for a value that no run can have."""
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
    if config.get("plugins") is not None:
        check_plugins(config["plugins"])
    evaluation = config.get("evaluation")
    if evaluation is not None and not (isinstance(evaluation, Mapping) and "_target_" in evaluation):
        raise UserError(
            f"evaluation is {evaluation!r}; choose evaluation=none, dataset, tf or random, or change single keys of it"
        )
    if config.get("callbacks") is None:
        raise UserError("callbacks: nothing is set; leave the key out, and null those that you do without by name")
    for key in ("callbacks", "logger"):
        _mapping(config.get(key), key)
    for name in config.get("logger") or {}:
        _name(name, f"logger.{name}")


def check_plugins(plugins: Any) -> None:
    if not isinstance(plugins, list) or not all(isinstance(name, str) for name in plugins):
        raise UserError(f"plugins is {plugins!r}; write a list of modules, as plugins=[my_module]")


def _check_trainer(trainer: Any) -> None:
    if not isinstance(trainer, Mapping):
        raise UserError(
            "trainer: it holds accelerator, devices and precision; change one of them, as trainer.devices=2"
        )
    for key, value in {"precision": None, **trainer}.items():  # a run of an earlier version lacks some others
        if key not in TRAINER:
            raise unknown_key(f"trainer.{key}: there is no such key", f"trainer.{key}", TRAINER)
        expect(value, TRAINER[key], f"trainer.{key}")
    if (wanted := trainer.get("accelerator")) not in ACCELERATORS:
        raise UserError(f"trainer.accelerator is '{wanted}', it must be auto, cpu or gpu")
    _whole(trainer.get("devices"), "trainer.devices", least=1)
    _whole(trainer.get("num_nodes", 1), "trainer.num_nodes", least=1)
    if trainer.get("threads") is not None:
        _whole(trainer["threads"], "trainer.threads", least=1)
    if trainer.get("compile") == "max-autotune" and trainer.get("deterministic"):
        raise UserError(
            "trainer.compile=max-autotune takes the kernels that were quickest in a trial, which trainer.deterministic "
            "rules out; take trainer.compile=default"
        )


def _check_stage(stage: Stage) -> None:
    config = stage.config
    if stage.tag:
        _name(stage.tag, f"stages.{stage.tag}")
    iterations, epochs = map(stage.key, LENGTHS)
    stated = [key for key in LENGTHS if config.get(key) is not None]
    if len(stated) == 2:
        raise UserError(f"{iterations} and {epochs} are both set; set one and leave the other null")
    if not stated:
        raise UserError(f"{iterations}: no length is set; set {iterations}= or {epochs}=")
    _whole(config[stated[0]], stage.key(stated[0]), least=1)
    check_parts(stage)
    losses, models = config.get("losses"), config["models"]
    _mapping(losses, stage.key("losses"))
    _mapping((losses or {}).get("penalties"), stage.key("losses.penalties"))
    for name, node in ((losses or {}).get("penalties") or {}).items():
        if node is None and name not in PENALTIES:  # a misspelt name would leave nothing out, in silence
            key = stage.key(f"losses.penalties.{name}")
            way_out = near(str(name), PENALTIES) or f"; if there is one, leave it out with ~{key}"
            raise UserError(f"{key} is null, but no losses bring a penalty of this name{way_out}")
    for part in ("players", "ema"):
        _mapping(models.get(part), stage.key(f"models.{part}"))
    for name, node in (models.get("players") or {}).items():
        _named(node, name, stage.key(f"models.players.{name}"), "hold networks and an optimizer, or be left out")
    for name, node in config["networks"].items():
        key = stage.key(f"networks.{name}")
        _named(node, name, key, "name a class with _target_")
        for option in {"width", "z_dim"} & set(node):
            _whole(node[option], f"{key}.{option}", least=1)
    data = config["data"]
    for option in ("batch_size", "size", *(["classes"] if data.get("classes") is not None else [])):
        _whole(data.get(option), stage.key(f"data.{option}"), least=1)


def check_parts(stage: Stage) -> None:
    for key in ("data", "networks", "models"):
        if not isinstance(stage.config.get(key), Mapping):
            raise UserError(f"{stage.key(key)}: nothing is set; choose an experiment= or state {key}")


def check_classes(stage: Stage, resolved: Mapping[str, Any], given: Set[str]) -> None:
    """Raise UserError if the classes of the game differ from those of the data, or if the data have none for it.

    A game that takes its classes from the data may be without classes if no key in `given` chooses a game: the default
    game has classes only where the data have some. Only new runs are checked: runs with fewer classes stay usable.
    """
    if stage.config["models"].get("classes") is None:
        return
    asked, there = resolved["models"]["classes"], resolved["data"].get("classes")
    if asked is None and not {"experiment", "models", "models.classes"} & given:
        return
    if there is None:
        raise UserError(
            f"{stage.key('data.classes')} is null, but this game is of classes; set models.classes=null for a game "
            f"without them, or data.classes=N if the data have N classes, as N folders of pictures are"
        )
    if asked != there:
        raise UserError(
            f"{stage.key('models.classes')} is {asked!r}, but data.classes is {there!r}; leave it out, as "
            f"models=conditional takes data.classes"
        )


def _name(name: Any, key: str) -> None:
    """Raise UserError for a name that is not safe as a folder, a tag and an attribute."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise UserError(f"{key}: a name is made of letters, digits, _ and -, not {name!r}")


def _named(node: Any, name: Any, key: str, wanted: str) -> None:
    _name(name, key)
    if not isinstance(node, Mapping):
        raise UnknownKey(f"{key} is {node!r}; it must {wanted}", key)


def _mapping(node: Any, key: str) -> None:
    if not isinstance(node or {}, Mapping):
        raise UserError(f"{key} is {node!r}; change single keys of it")


def _whole(value: Any, key: str, least: int) -> None:
    if type(value) is not int or value < least:  # none of these may be null, which `check_whole` lets pass
        raise UserError(f"{key} is {value!r}, it must be a whole number of {least} or more")
