"""A run's parts from its config: data, networks, players and module of each stage, all checked before anything runs."""

import functools
import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gantrain import rng
from gantrain.callbacks.checkpoints import Checkpoints
from gantrain.callbacks.scores import Scores
from gantrain.config.build import allow_plugins, build
from gantrain.config.stages import Stage, stages_of
from gantrain.data import GANDataModule
from gantrain.errors import UserError
from gantrain.evaluation.base import Evaluation
from gantrain.losses.penalties import Penalty
from gantrain.models.base import GANModule
from gantrain.models.loop.ema import EMA
from gantrain.models.players import Player
from gantrain.models.schedules import ends
from gantrain.networks.torchscript import trust, trust_backbone

if TYPE_CHECKING:
    from gantrain.run.folder import Run  # it imports this module


@dataclass
class Ready:
    """A stage that is built and checked."""

    stage: Stage
    data: GANDataModule
    module: GANModule
    evaluation: Evaluation | None  # one for all stages


def prepare(config: Mapping[str, Any], new: bool = False, run: "Run | None" = None) -> list[Ready]:
    """Build and check every stage of a run; writes nothing but the data cache. Raises UserError.

    Only a `new` run takes weights from `init_from`; one with a checkpoint has its own. `run` is the one that goes on.
    """
    allow_plugins(config.get("plugins") or [])
    check_machine(config["trainer"])
    stages = stages_of(config)
    networks = build_networks(stages)
    if new and config.get("init_from"):
        start_from(networks, config["init_from"], config.get("plugins") or [])
    evaluation = build_evaluation(config)
    if evaluation is not None and len(stages) > 1:
        evaluation.check_stages([stage.tag for stage in stages])
    build_callbacks(config, evaluation)
    build_loggers(config, "", "", 0)
    modules = [build_stage(stage, networks) for stage in stages]
    for module in modules:
        check_optimizers(module)
        for part in module.from_files():
            part.find()  # before hours may go into the cache of the data
    ready: list[Ready] = []
    for stage, module in zip(stages, modules, strict=True):
        same = [r.data for r in ready if r.stage.config["data"] == stage.config["data"]]
        data = same[0] if same else build_data(stage).open()
        batch = data.batch_size * config["trainer"]["devices"]
        key = f"stages.{stage.tag}.data" if stage.tag else "data"
        if batch > data.variety:
            raise UserError(f"{key}.batch_size: a batch of {batch} is larger than the data, {data.variety} images")
        if data.batch_size % module.microbatches:
            raise UserError(f"models.microbatches: {data.batch_size} images do not divide into {module.microbatches}")
        module.length = length_of(stage, len(data), batch, run)
        check_ends(stage, module.length, run)
        module.check(data.examples(2))
        if evaluation is not None and evaluation.applies(stage.tag):
            evaluation.check(module, data)
            evaluation.check_best(module, data)
        ready.append(Ready(stage, data, module, evaluation))
    return ready


def length_of(stage: Stage, images: int, batch: int, run: "Run | None") -> int:
    """The iterations of a stage. Epochs count images, which may have come in batches of another size until now.

    A stage that has ended and that others have begun from stays as long as it is, also where the data have grown.
    """
    epochs = stage.config.get("epochs")
    if not epochs:
        return stage.config["iterations"]
    if run is None or (state := run.newest(stage.name)) is None:
        return math.ceil(epochs * images / batch)
    *earlier, _ = stages_of(run.config())
    if any(then.name == stage.name and then.config.get("epochs") == epochs for then in earlier):
        ended = run.finished(stage.name)
        if ended is not None:
            return ended
    # More than the epochs have is what the last of larger batches held.
    return state["iteration"] + max(0, math.ceil((epochs * images - state["images_seen"]) / batch))


def build_networks(stages: Sequence[Stage]) -> dict[str, nn.Module]:
    """Every network that the stages name, once per name, with the initial weights of the run's seed."""
    rng.seed_everything(stages[0].config["seed"], "networks")
    networks: dict[str, nn.Module] = {}
    nodes: dict[str, Mapping] = {}
    for stage in stages:
        for name, node in stage.config["networks"].items():
            if name not in networks:
                networks[name], nodes[name] = build(node, f"networks.{name}", nn.Module), node
            elif nodes[name] != node:
                raise UserError(
                    f"stages.{stage.tag}.networks.{name} differs from the {name} of an earlier stage, which it is; "
                    f"state it once, at the root, or give it another name"
                )
    return networks


def build_data(stage: Stage) -> GANDataModule:
    node = {"_target_": "gantrain.data.GANDataModule", **stage.config["data"]}
    return build(node, "data", GANDataModule, seed=stage.config["seed"])


def build_stage(stage: Stage, networks: Mapping[str, nn.Module]) -> GANModule:
    """The family module of a stage around the networks it names."""
    config, node = stage.config, dict(stage.config["models"])
    losses = dict(config.get("losses") or {})
    penalties = {
        name: build(penalty, f"losses.penalties.{name}", Penalty)
        for name, penalty in (losses.pop("penalties", None) or {}).items()
    }
    parts = {name: build(loss, f"losses.{name}") for name, loss in losses.items() if loss is not None}
    players = {name: build_player(name, player) for name, player in (node.pop("players", None) or {}).items()}
    if not players:
        raise UserError("models.players: nobody plays; name at least one player with its networks and optimizer")
    ema = node.pop("ema", None)
    return build(
        node,
        "models",
        GANModule,
        networks={name: networks[name] for name in config["networks"]},
        players=players,
        penalties=penalties,
        ema=build({"_target_": "gantrain.models.loop.ema.EMA", **ema}, "models.ema", EMA) if ema else None,
        seed=config["seed"],
        stage=stage.tag,
        **parts,
    )


def build_player(name: str, node: Mapping[str, Any]) -> Player:
    key = f"models.players.{name}"
    node = {"_target_": "gantrain.models.players.Player", **node}
    for part, expect in (("optimizer", Optimizer), ("schedule", LRScheduler)):
        if part == "optimizer" or node.get(part) is not None:
            if not isinstance(node.get(part), Mapping):
                raise UserError(f"{key}.{part} is {node.get(part)!r}, it must name a class with _target_")
            node[part] = {**node[part], "_partial_": True}
            build(node[part], f"{key}.{part}", expect)  # its own error names the part
    return build(node, key, Player)


def check_optimizers(module: GANModule) -> None:
    """Make each player's optimizer and schedule once, on the real weights, so that their mistakes come early."""
    for name, player in module.players.items():
        key = f"models.players.{name}"
        optimizer = _made(player.optimizer, module.weights_of(name), f"{key}.optimizer")
        if player.schedule is not None:
            _made(player.schedule, optimizer, f"{key}.schedule")


def check_ends(stage: Stage, length: int, run: "Run | None") -> None:
    """Raise UserError where a player's schedule ends before the stage does: it would go on and learn nothing."""
    prefix = f"stages.{stage.tag}." if stage.tag else ""
    for name, end in ends(stage.config["models"]).items():
        if length > end:
            key = f"{prefix}models.players.{name}.schedule.end"
            way_out = f"set {key}={length}"
            if run is not None:
                way_out = f"a resumed run keeps its schedule, so start a new run with init_from={run.word}"
            raise UserError(f"{key} is {end:,}: its rate is 0 from there on, and {length:,} were asked for; {way_out}")


def _made(partial: functools.partial, argument: Any, key: str) -> Any:
    try:
        return partial(argument)
    except (ValueError, TypeError, LookupError) as error:
        options = ", ".join(f"{option}={value}" for option, value in partial.keywords.items())
        raise UserError(f"{key}: {partial.func.__name__} refuses its options, {options} ({error})") from error


def start_from(networks: Mapping[str, nn.Module], folder: str, plugins: Sequence[str]) -> None:
    """Give the networks the weights of another run's networks of the same names, averaged ones where it has them."""
    from gantrain.loading import load_trained  # it imports this module

    theirs = load_trained(folder, plugins)
    common = [name for name in networks if name in theirs.names]
    if not common:
        have, want = ", ".join(theirs.names), ", ".join(networks)
        raise UserError(f"init_from: {folder} has {have}, this run has {want}; none in common")
    for name in common:
        try:
            networks[name].load_state_dict(theirs.module.best(name).state_dict())
        except RuntimeError as error:
            detail = str(error).splitlines()[1].strip()
            raise UserError(f"init_from: networks.{name} differs from the one in {folder} ({detail})") from error


def accelerator(trainer: Mapping[str, Any]) -> str:
    """`cuda` or `cpu`: `auto` and `gpu` would mean Apple's GPU too, whose generators a checkpoint cannot hold."""
    return "cuda" if torch.cuda.is_available() and trainer["accelerator"] != "cpu" else "cpu"


def check_machine(trainer: Mapping[str, Any]) -> None:
    """Raise UserError for an accelerator, number of devices or precision that this machine lacks."""
    wanted, devices, precision = trainer.get("accelerator"), trainer["devices"], trainer["precision"]
    if wanted not in ("auto", "cpu", "gpu"):
        raise UserError(f"trainer.accelerator is '{wanted}', it must be auto, cpu or gpu")
    if wanted == "gpu" and not torch.cuda.is_available():
        raise UserError("trainer.accelerator=gpu: this machine has no GPU that PyTorch can use; use cpu or auto")
    on_gpu = accelerator(trainer) == "cuda"
    if on_gpu and devices > torch.cuda.device_count():
        raise UserError(f"trainer.devices={devices}: this machine has {torch.cuda.device_count()} GPUs")
    if precision == "16-mixed" and not on_gpu:
        raise UserError("trainer.precision=16-mixed needs a GPU; use bf16-mixed or 32-true here")


def build_callbacks(config: Mapping[str, Any], evaluation: Evaluation | None) -> list[pl.Callback]:
    nodes = {name: node for name, node in config["callbacks"].items() if node is not None}
    callbacks = [build(node, f"callbacks.{name}", pl.Callback) for name, node in nodes.items()]
    if not any(isinstance(callback, Checkpoints) for callback in callbacks):
        raise UserError("callbacks.checkpoint: a run without checkpoints loses everything; leave it in")
    return callbacks if evaluation is None else [*callbacks, Scores(evaluation)]


def build_evaluation(config: Mapping[str, Any]) -> Evaluation | None:
    node = config.get("evaluation")
    return build(node, "evaluation", Evaluation) if node else None


def build_loggers(config: Mapping[str, Any], folder: Path | str, tag: str, iteration: int) -> list[Logger]:
    """The loggers of one stage, from `iteration` on; they make no file before training begins."""
    nodes = config.get("logger") or {}
    if not isinstance(nodes, Mapping):
        raise UserError(f"logger is '{nodes}'; a resumed run changes single keys, such as logger.csv._target_=")
    loggers = []
    for name, node in nodes.items():
        offered = {
            # One folder per stage: purge_step hides every tag's later points, also those of the stage before.
            "save_dir": str(Path(folder, name, tag)),
            "purge_step": iteration + 1 if iteration else 0,  # 0: of a run killed before its first checkpoint
            "run_dir": str(folder),
            "config": dict(config),
        }
        partial = {**node, "_partial_": True} if isinstance(node, Mapping) else node
        taken = inspect.signature(build(partial, f"logger.{name}", Logger).func).parameters
        place = {key: value for key, value in offered.items() if key in taken and key not in node}
        loggers.append(build(node, f"logger.{name}", Logger, **place))
    return loggers


def trust_new(config: Mapping[str, Any]) -> None:
    """Let the TorchScript files run that the config of a new run names: it is the user's own."""
    trust_backbone((config.get("evaluation") or {}).get("backbone"))
    for stage in stages_of(config):
        for node in stage.config["networks"].values():
            file = Path(str(node.get("path") or "")).expanduser()
            if not node.get("model") and file.is_file():
                trust(file)
