"""A run from its config: build data, networks and module of each stage, check them, fit one after the other."""

import inspect
import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gantrain import rng
from gantrain.build import allow_plugins, build
from gantrain.callbacks.checkpoints import Checkpoints
from gantrain.callbacks.progress import clock
from gantrain.config import Stage, stages_of
from gantrain.data import GANDataModule
from gantrain.ema import EMA
from gantrain.errors import UserError
from gantrain.losses.penalties import Penalty
from gantrain.models.base import GANModule
from gantrain.models.players import Player
from gantrain.parallel import TurnTaking
from gantrain.runs import Run, explain_os_error, load, load_weights, misfit


@dataclass
class Ready:
    """A stage that is built and checked."""

    stage: Stage
    data: GANDataModule
    module: GANModule


@dataclass
class Outcome:
    """How a run ended: `signum` is the signal that stopped it, or 0."""

    run: Run
    signum: int
    seconds: float
    images: int


# ---- building --------------------------------------------------------------------------------------------------------


def prepare(config: Mapping[str, Any], new: bool = False) -> list[Ready]:
    """Build and check every stage of a run; writes nothing but the data cache. Raises UserError.

    Only a `new` run takes weights from `init_from`; a resumed one has its own.
    """
    allow_plugins(config.get("plugins") or [])
    check_machine(config["trainer"])
    stages = stages_of(config)
    networks = build_networks(stages)
    if new and config.get("init_from"):
        start_from(networks, config["init_from"])
    build_callbacks(config)
    build_loggers(config, "", "", 0)
    ready: list[Ready] = []
    for stage in stages:
        same = [r.data for r in ready if r.stage.config["data"] == stage.config["data"]]
        data = same[0] if same else build_data(stage).open()
        module = build_stage(stage, networks)
        batch = data.batch_size * config["trainer"]["devices"]
        key = f"stages.{stage.tag}.data" if stage.tag else "data"
        if batch > len(data):
            raise UserError(f"{key}.batch_size: a batch of {batch} is larger than the data, {len(data)} images")
        if data.batch_size % module.microbatches:
            raise UserError(f"models.microbatches: {data.batch_size} images do not divide into {module.microbatches}")
        epochs = stage.config.get("epochs")
        module.length = math.ceil(epochs * len(data) / batch) if epochs else stage.config["iterations"]
        module.check(data.examples(2))
        ready.append(Ready(stage, data, module))
    return ready


def build_networks(stages: Sequence[Stage]) -> dict[str, nn.Module]:
    """Every network that the stages name, once per name, with the initial weights of the run's seed."""
    rng.seed_everything(stages[0].config["seed"], "networks")
    networks: dict[str, nn.Module] = {}
    for stage in stages:
        for name, node in stage.config["networks"].items():
            if name not in networks:
                networks[name] = build(node, f"networks.{name}", nn.Module)
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
        ema=build({"_target_": "gantrain.ema.EMA", **ema}, "models.ema", EMA) if ema else None,
        seed=config["seed"],
        stage=stage.tag,
        **parts,
    )


def build_player(name: str, node: Mapping[str, Any]) -> Player:
    key = f"models.players.{name}"
    node = {"_target_": "gantrain.models.players.Player", **node}
    for part, expect in (("optimizer", Optimizer), ("schedule", LRScheduler)):
        if node.get(part) is not None:
            node[part] = {**node[part], "_partial_": True}
            build(node[part], f"{key}.{part}", expect)  # its own error names the part
    return build(node, key, Player)


def start_from(networks: Mapping[str, nn.Module], folder: str) -> None:
    """Give the networks the weights of another run's networks of the same names."""
    theirs = load(folder)
    common = [name for name in networks if name in theirs]
    if not common:
        raise UserError(
            f"init_from: {folder} has {', '.join(theirs)}, this run has {', '.join(networks)}; none in common"
        )
    for name in common:
        try:
            networks[name].load_state_dict(theirs[name].state_dict())
        except RuntimeError as error:
            detail = str(error).splitlines()[1].strip()
            raise UserError(f"init_from: networks.{name} differs from the one in {folder} ({detail})") from error


def check_machine(trainer: Mapping[str, Any]) -> None:
    """Raise UserError for an accelerator, number of devices or precision that this machine lacks."""
    accelerator, devices, precision = trainer["accelerator"], trainer["devices"], trainer["precision"]
    cuda = torch.cuda.is_available()
    if accelerator not in ("auto", "cpu", "gpu"):
        raise UserError(f"trainer.accelerator is '{accelerator}', it must be auto, cpu or gpu")
    if accelerator == "gpu" and not cuda:
        raise UserError("trainer.accelerator=gpu: this machine has no GPU that PyTorch can use; use cpu or auto")
    on_gpu = cuda and accelerator != "cpu"
    if on_gpu and devices > torch.cuda.device_count():
        raise UserError(f"trainer.devices={devices}: this machine has {torch.cuda.device_count()} GPUs")
    if precision == "16-mixed" and not on_gpu:
        raise UserError("trainer.precision=16-mixed needs a GPU; use bf16-mixed or 32-true here")


# ---- running ---------------------------------------------------------------------------------------------------------


def run(config: dict[str, Any], folder: Path) -> Outcome:
    """Train a new run in `folder`, which is made once nothing is wrong with the config."""
    Run(folder).refuse_if_taken()
    for stage in stages_of(config):
        if stage.config["data"].get("root"):
            stage.config["data"]["root"] = str(Path(stage.config["data"]["root"]).expanduser().absolute())
    ready = prepare(config, new=True)
    return report(fit(ready, Run.create(folder, config), config))


def resume(folder: Path, config: dict[str, Any]) -> Outcome:
    """Continue the run in `folder` with its config, of which lengths and the like may have changed."""
    ready, run = prepare(config), Run(folder)
    run.write_config(config)
    return report(fit(ready, run, config))


def fit(ready: Sequence[Ready], run: Run, config: Mapping[str, Any]) -> Outcome:
    """Fit the stages that are not finished, from their newest checkpoints where they have one."""
    print_header(ready, run, config)
    began, images = time.monotonic(), 0
    for i, part in enumerate(ready):
        last = i == len(ready) - 1
        name, length = part.stage.name, part.module.length
        state = run.newest(name)
        at = state["iteration"] if state is not None else 0
        if at > length:
            raise UserError(f"iterations: stage {name} has {at} already; {length} would undo some")
        ended = run.finished(name)
        if ended is not None and at >= ended and (at == length or not last):
            if at < length:
                raise UserError(
                    f"stages.{name}: it ended at {ended} iterations and a later stage has begun from it; "
                    f"only the last stage can be prolonged"
                )
            load_weights(part.module, state, run)
        else:
            seen = state["images_seen"] if state is not None else 0
            signum = fit_stage(part, run, config, state)
            images += part.module.images_seen - seen
            export(run, part)
            if signum:
                return Outcome(run, signum, time.monotonic() - began, images)
            run.mark_finished(part.stage.name, part.module.iteration)
        hand_over(part.module)
    return Outcome(run, 0, time.monotonic() - began, images)


def fit_stage(part: Ready, run: Run, config: Mapping[str, Any], state: Mapping[str, Any] | None) -> int:
    """Train one stage; returns the signal that stopped it, or 0. Raises Diverged and UserError."""
    stage, module = part.stage, part.module
    iteration = state["iteration"] if state is not None else 0
    run.cut_metrics([s.name for s in stages_of(config)], stage.name, iteration)
    if state is not None and iteration >= module.length:
        load_weights(module, state, run)
        module.iteration, module.images_seen = iteration, state["images_seen"]
        return 0
    module.resume_from = state
    callbacks = build_callbacks(config)
    trainer = build_trainer(config, run, stage, callbacks, iteration)
    try:
        trainer.fit(module, datamodule=part.data)
    except (RuntimeError, KeyError) as error:
        if "Error(s) in loading state_dict" in str(error):
            raise UserError(misfit(run.config_file, error)) from error
        raise
    except OSError as error:
        raise UserError(explain_os_error(error, run)) from error
    return next(c.signum for c in callbacks if isinstance(c, Checkpoints))


def build_callbacks(config: Mapping[str, Any]) -> list[pl.Callback]:
    nodes = {name: node for name, node in config["callbacks"].items() if node is not None}
    callbacks = [build(node, f"callbacks.{name}", pl.Callback) for name, node in nodes.items()]
    if not any(isinstance(callback, Checkpoints) for callback in callbacks):
        raise UserError("callbacks.checkpoint: a run without checkpoints loses everything; leave it in")
    return callbacks


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
            "purge_step": iteration + 1 if iteration else None,
            "run_dir": str(folder),
            "config": dict(config),
        }
        partial = {**node, "_partial_": True} if isinstance(node, Mapping) else node
        taken = inspect.signature(build(partial, f"logger.{name}", Logger).func).parameters
        place = {key: value for key, value in offered.items() if key in taken and key not in node}
        loggers.append(build(node, f"logger.{name}", Logger, **place))
    return loggers


def build_trainer(
    config: Mapping[str, Any], run: Run, stage: Stage, callbacks: list[pl.Callback], iteration: int
) -> pl.Trainer:
    options = dict(config["trainer"])
    if options["devices"] > 1:
        command = [sys.executable, "-m", "gantrain.worker", str(run.folder.absolute()), stage.name]
        options["strategy"] = TurnTaking(command)
    return pl.Trainer(
        **options,
        callbacks=callbacks,
        logger=build_loggers(config, run.folder, stage.tag, iteration),
        default_root_dir=str(run.folder),
        max_epochs=-1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


def hand_over(module: GANModule) -> None:
    """Let the next stage start from the averaged weights, on the CPU as it was built."""
    for name in module.networks:
        if module.best(name) is not module.networks[name]:
            module.networks[name].load_state_dict(module.best(name).state_dict())
    module.to("cpu")


def export(run: Run, part: Ready) -> None:
    module, nodes = part.module, part.stage.config["networks"]
    names = module.networks_for_use()
    averaged = {} if module.ema is None else dict(module.ema.copies)
    run.export({name: module.networks[name] for name in names}, averaged, nodes)


# ---- telling ---------------------------------------------------------------------------------------------------------


def report(outcome: Outcome) -> Outcome:
    """Write the run's page."""
    from gantrain.report import report_at_end  # plots and templates, only once there is something to show

    report_at_end(outcome.run)
    return outcome


def print_header(ready: Sequence[Ready], run: Run, config: Mapping[str, Any]) -> None:
    trainer = config["trainer"]
    gpu = torch.cuda.is_available() and trainer["accelerator"] != "cpu"
    device = torch.cuda.get_device_name() if gpu else f"cpu ({torch.get_num_threads()} threads)"
    facts = {"experiment": config.get("name"), "run": run.folder}
    for part in ready:
        data, module = part.data, part.module
        prefix = f"{part.stage.tag} " if part.stage.tag else ""
        sizes = [f"{name} {sum(p.numel() for p in net.parameters()):,}" for name, net in module.networks.items()]
        facts[f"{prefix}data"] = f"{len(data):,} images, {data.channels}x{data.size}x{data.size}"
        facts[f"{prefix}parameters"] = ", ".join(sizes)
        images = module.length * data.batch_size * trainer["devices"]
        facts[f"{prefix}length"] = f"{module.length:,} iterations, {images:,} images"
    processes = f", {trainer['devices']} processes" if trainer["devices"] > 1 else ""
    facts["device"] = f"{device}, {trainer['precision']}{processes}"
    width = max(map(len, facts))
    print("\n".join(f"{key:<{width}}  {value}" for key, value in facts.items()), flush=True)


def print_end(outcome: Outcome) -> None:
    folder = outcome.run.folder
    if outcome.signum:
        print(f"stopped; go on with: gantrain resume {folder}", flush=True)
        return
    if not outcome.images:
        print(f"nothing left to train in {folder}; raise iterations= to go on", flush=True)
        return
    speed = outcome.images / max(outcome.seconds, 1e-9)
    pictures = sorted((folder / "samples").rglob("[0-9]*.png"))
    lines = [
        f"done in {clock(outcome.seconds)}, {speed:,.0f} images/s",
        *([f"picture  {pictures[-1]}"] if pictures else []),
        *([f"report   {folder / 'report.html'}"] if (folder / "report.html").is_file() else []),
        f"sample   gantrain sample {folder}",
        f"longer   gantrain resume {folder} iterations=N",
        f"curves   tensorboard --logdir {folder}",
    ]
    print("\n".join(lines), flush=True)
