"""A few iterations of a run in a folder that is thrown away, and what the whole length would take by them."""

import math
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from gantrain.callbacks.checkpoints import Checkpoints
from gantrain.callbacks.health import USUAL, Health
from gantrain.callbacks.metrics import Metrics
from gantrain.callbacks.networks import Networks
from gantrain.callbacks.samples import Samples
from gantrain.config.finalise import make_absolute
from gantrain.config.stages import stages_of
from gantrain.models.base import GANModule
from gantrain.run.folder import Run, frames
from gantrain.signals import StopSignals
from gantrain.training.fit import checkpoints_of, export_networks, fit_stage, hand_over
from gantrain.training.machine import accelerator
from gantrain.training.prepare import Ready, prepare, trust_new
from gantrain.training.profiler import StageProfiler, most_memory

WARM_UP = 2  # iterations on a CPU; a GPU records its iterations first
FEWEST, MOST = 10, 40  # iterations that are timed
POINT = 60  # bytes of a number, in metrics.jsonl and as much for TensorBoard
CURVES = 5  # numbers of one player at a time: its losses, penalties and gradients, about


@dataclass
class Reckoning:
    """What a stage of `length` iterations will take: seconds (`cpu` of an iteration's are the processor's), bytes."""

    ready: Ready
    length: int
    timed: int
    iteration: float
    cpu: float
    look: float
    grid: float
    disk: int
    saved: int

    @property
    def seconds(self) -> float:
        """Iterations, grids of samples and looks of health; not scores."""
        looks, grids = (self.length // every if every else 0 for every in (self.every(Health), self.every(Samples)))
        return self.length * self.iteration + looks * self.look + (grids + 1) * self.grid

    def every(self, kind: type[Health] | type[Samples] | type[Metrics]) -> int | None:
        """After how many iterations the callback of this kind acts; None where there is none."""
        return next((callback.every for callback in self.ready.callbacks if isinstance(callback, kind)), None)


class Stopwatch(pl.Callback):
    """The time between the ends of two iterations; before any other callback has done anything at the second."""

    def __init__(self, first: int, last: int):
        self.first, self.last = first, last
        self.every = math.gcd(first, last)  # a round of iterations ends there
        self.wall = self.cpu = 0.0

    def on_train_batch_end(self, trainer: pl.Trainer, module: GANModule, *args: Any) -> None:
        if module.iteration in (self.first, self.last):
            if module.device.type == "cuda":
                torch.cuda.synchronize()
            sign = 1 if module.iteration == self.last else -1
            self.wall += sign * time.perf_counter()
            self.cpu += sign * time.process_time()


def dry_run(config: dict[str, Any]) -> tuple[list[Reckoning], dict[str, int]]:
    """Try every stage of a new run's config; what each will take, and the most memory of this process in MB by kind.

    Writes nothing but the data's cache. Raises UserError where the run would be refused.
    """
    make_absolute(config)
    trust_new(stages_of(config))
    ready = prepare(stages_of(config))
    with tempfile.TemporaryDirectory(prefix="gantrain_") as folder, StopSignals() as stop:
        run = Run.create(Path(folder, "run"), config)
        found = []
        for part in ready:
            found.append(tried(part, run, alone(config), stop))
            if stop.received:
                raise KeyboardInterrupt
            hand_over(part.module)
        return found, most_memory()


def alone(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config for one of the run's processes, whose batch is its own, and for no logger that tells others of it."""
    loggers = (config.get("logger") or {}).items()
    here = {name: node for name, node in loggers if node.get("_target_") == "gantrain.loggers.TensorBoard"}
    return {**config, "logger": here, "trainer": {**config["trainer"], "devices": 1, "num_nodes": 1}}


def tried(part: Ready, run: Run, config: Mapping[str, Any], stop: StopSignals) -> Reckoning:
    """One stage: its first iterations with samples, a look of health and a checkpoint, and what they took."""
    module, length = part.module, part.module.length
    device = accelerator(config["trainer"])
    timed = window(module)
    first = WARM_UP if device == "cpu" else timed
    watch, profiler = Stopwatch(first, first + timed), StageProfiler()
    everys = {c: c.every or USUAL[device] for c in part.callbacks if isinstance(c, (Health, Samples))}
    for callback in everys:
        callback.every = first + timed  # at the end alone
    short = [*everys, *(c for c in part.callbacks if isinstance(c, (Networks, Checkpoints)))]
    module.length = first + timed
    fit_stage(Ready(part.stage, part.data, module, [watch, *short]), run, config, None, stop, profiler)
    for callback, every in everys.items():
        callback.every = every
    found = Reckoning(
        *(part, length, timed, watch.wall / timed, watch.cpu / timed),
        look=profiler.actions.get("[Callback]Health.on_train_batch_end", 0.0),
        grid=profiler.actions.get("[Callback]Samples.on_train_start", 0.0),
        disk=0,
        saved=max((file.stat().st_size for file in run.checkpoint_files(part.stage.name)), default=0),
    )
    found.disk = disk(found, run, config)
    return found


def window(module: GANModule) -> int:
    """How many iterations show what one takes on average: whole rhythms of players and penalties, unless too long.

    An R1 of every 16th turn is dear then, and is there once.
    """
    period = 1
    for name, player in module.players.items():
        turns = math.lcm(*(penalty.every for penalty in module.penalties.values() if penalty.is_of(name)))
        period = math.lcm(period, player.every * turns)
    return period * math.ceil(FEWEST / period) if period <= MOST else MOST


def disk(found: Reckoning, run: Run, config: Mapping[str, Any]) -> int:
    """The bytes that a stage will leave: checkpoints, exported networks, grids of samples and numbers."""
    part, name = found.ready, found.ready.stage.name
    checkpoints = found.saved * (checkpoints_of(part).keep + bool(config.get("evaluation")))
    if name != stages_of(config)[-1].name:  # a later stage begins from it, and its optimizers go
        checkpoints = found.saved - moments(part.module)
    export_networks(run, part)
    networks = sum(file.stat().st_size for file in run.networks.rglob("*") if file.is_file())
    grids = frames(run.samples(part.stage.tag))
    every = found.every(Samples)
    grid = max((file.stat().st_size for file in grids), default=0)
    pictures = 3 * grid * (1 + found.length // every) if every else 0  # TensorBoard keeps them too, the film nearly
    lines = found.length // written if (written := found.every(Metrics)) else 0
    return checkpoints + networks + pictures + lines * 2 * POINT * CURVES * len(part.module.players)


def moments(module: GANModule) -> int:
    """The bytes of what the players' optimizers keep."""
    kept = [state for name in module.players for state in module.optimizer_of(name).state.values()]
    return sum(v.numel() * v.element_size() for state in kept for v in state.values() if torch.is_tensor(v))
