"""Training of a run: its stages one after the other, each from its newest checkpoint if there is one."""

import contextlib
import functools
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import LightningEnvironment
from pytorch_lightning.utilities.model_helpers import is_overridden

from gantrain.callbacks.checkpoints import Checkpoints
from gantrain.callbacks.health import Health
from gantrain.config.changes import moved
from gantrain.config.finalise import make_absolute
from gantrain.config.stages import stages_of
from gantrain.errors import Diverged, UserError, first_line, lacking
from gantrain.models.base import GANModule
from gantrain.models.loop.rounds import Rounds
from gantrain.parallel import processes_of
from gantrain.run.checkpoint import load_networks
from gantrain.run.exports import export
from gantrain.run.finished import drop_optimizers
from gantrain.run.folder import Run
from gantrain.run.health import Finding
from gantrain.run.provenance import note_stage, note_start
from gantrain.signals import StopSignals
from gantrain.training.confine import confine
from gantrain.training.console import print_header
from gantrain.training.distributed import call, joined, mark
from gantrain.training.machine import accelerator, compiled_for, described, order_memory, recorder_for, set_up
from gantrain.training.outcome import Outcome, objective_of
from gantrain.training.output import lasting
from gantrain.training.prepare import Ready, prepare, trust_new
from gantrain.training.processes import TurnTaking
from gantrain.training.profiler import StageProfiler, most_memory
from gantrain.training.rates import following
from gantrain.training.watchers import build_loggers


def run(
    config: dict[str, Any],
    folder: Path,
    numbered: bool = False,
    watching: pl.Callback | None = None,
    overrides: Sequence[str] = (),
) -> Outcome:
    """Train a new run in `folder`, which is created only after all checks of the config.

    A folder that is in use is refused, or if `numbered` another name with a number is taken. `watching` is one more
    callback. `overrides` are the words that changed the config, for the record.
    """
    if not numbered:
        Run(folder).refuse_if_taken()
    make_absolute(config)
    stages = stages_of(config)
    trust_new(stages)
    ready = prepare(stages)
    watch(ready, watching)
    new = Run.create(folder, config, numbered)
    mark(new)
    with explaining(new), new.locked(), lasting(new.folder / "log.txt"):
        return fit(ready, new, config, overrides)


def resume(
    folder: Path,
    config: dict[str, Any],
    named: Sequence[str] = (),
    watching: pl.Callback | None = None,
    overrides: Sequence[str] = (),
) -> Outcome:
    """Continue the run in `folder` with its config, in which lengths and a few other keys may have changed.

    `named` are the keys that the user has given again, and `overrides` the words of the command; `watching` as in
    `run`.
    """
    run = Run.open(folder)
    confine(run, config, named)
    make_absolute(config)
    with explaining(run), run.locked(), lasting(run.folder / "log.txt"):
        stages = stages_of(config)
        run.refuse_lost([stage.name for stage in stages])
        ready = prepare(stages, run)
        watch(ready, watching)
        for i, part in enumerate(ready):
            refuse_length(run, part, last=i == len(ready) - 1)
        note_changes(run, moved(run.config(), config))
        run.write_config(config)
        return fit(ready, run, config, overrides)


def watch(ready: Sequence[Ready], watching: pl.Callback | None) -> None:
    for part in ready if watching is not None else ():
        part.callbacks.append(watching)


@contextlib.contextmanager
def explaining(run: Run) -> Iterator[None]:
    """Turn errors about missing memory, disk or a deterministic layer into a UserError that says what is saved."""
    try:
        yield
    except (UserError, Diverged):
        raise
    except Exception as error:
        if "does not have a deterministic implementation" in str(error):
            layer = first_line(error).split(",")[0]
            raise UserError(f"trainer.deterministic=true: {layer}; train with trainer.deterministic=false") from error
        if (reason := lacking(error)) is None:
            raise
        raise UserError(
            f"{run.folder}: {reason}; the last whole checkpoint is kept, mend it and `gantrain resume {run.quoted}`"
        ) from error


def note_changes(run: Run, lines: Sequence[str]) -> None:
    """Print and record the changes that make the run differ, from here on, from one with this config from the start."""
    if lines:
        done = max(run.reached(stage.name) for stage in stages_of(run.config()))
        lines = [f"after {done:,} iterations {line}" for line in lines]
        print("\n".join(f"changed  {line}" for line in lines), flush=True)
        with run.changes_file.open("a", encoding="utf-8") as stream:
            stream.write("".join(f"{line}\n" for line in lines))


def refuse_length(run: Run, part: Ready, last: bool) -> None:
    """Raise UserError for a length that is below what is trained, or that prolongs a stage on which others built."""
    name, length = part.stage.name, part.module.length
    done = max(run.reached(name), run.finished(name) or 0)
    if done > length:
        raise UserError(f"iterations: stage {name} has {done} already; {length} would undo some")
    if run.finished(name) is not None and done < length and not last:
        raise UserError(
            f"stages.{name}: it ended at {done} iterations and a later stage has begun from it; "
            f"only the last stage can be prolonged"
        )


def fit(ready: Sequence[Ready], run: Run, config: Mapping[str, Any], overrides: Sequence[str] = ()) -> Outcome:
    """Train the stages that are not finished; a signal ends training with a checkpoint. Raises UserError, Diverged."""
    print_header(ready, run)
    # Recorded once, just before the first training step: a run that is refused earlier stays unchanged.
    begin = functools.cache(lambda: note_start(run.folder, overrides, described(config["trainer"])))
    began, images, unhealthy = time.monotonic(), 0, None
    try:
        with StopSignals() as stop:
            for number, part in enumerate(ready):
                earlier = [other.stage.name for other in ready[:number]]
                images += fit_unless_finished(part, earlier, run, config, stop, begin)
                unhealthy = stopped_by_health(part)
                if stop.received or unhealthy:
                    break
                hand_over(part.module)
                if number + 1 < len(ready):
                    drop_optimizers(run, part.stage.name)
    except Diverged as error:
        report(run, config)
        raise Diverged(explain_divergence(error, run)) from error
    seconds = time.monotonic() - began
    report(run, config)
    return Outcome(run, ready[-1].stage, stop.received, seconds, images, objective_of(run, config), unhealthy)


def report(run: Run, config: Mapping[str, Any]) -> None:
    from gantrain.report.page import report_at_end  # plots and templates, only once there is something to show

    report_at_end(run, config)


def explain_divergence(error: Diverged, run: Run) -> str:
    """The message for a run that diverged: what happened, what is saved, and what usually helps."""
    saved = sorted((run.folder / "checkpoints").rglob("[0-9]*.ckpt"), key=lambda file: file.stat().st_mtime)
    kept = f"The last good checkpoint is {saved[-1]}" if saved else "It came before the first checkpoint"
    return (
        f"{error}. {kept}. Likely causes: a learning rate that is too high, a missing or too strong penalty, images "
        f"outside data.range, 16-mixed where bf16-mixed would do. models.on_divergence=skip omits such steps"
    )


def fit_unless_finished(
    part: Ready,
    earlier: Sequence[str],
    run: Run,
    config: Mapping[str, Any],
    stop: StopSignals,
    begin: Callable[[], None],
) -> int:
    """Train a stage to its end, or load it if it has ended already; returns how many images it was trained on now.

    `earlier` are the names of the stages before it. `begin` is called just before training.
    """
    name, module = part.stage.name, part.module
    state = run.newest(name)
    if state is not None and state["iteration"] >= module.length:
        load_networks(module, state)
        if run.finished(name) is None:  # it was killed after its last checkpoint
            run.keep_newest(name, checkpoints_of(part).keep)
            export_networks(run, part)
            run.mark_finished(name, state["iteration"])
        return 0
    begun = state or {"iteration": 0, "images_seen": 0}
    run.rewind(name, begun["iteration"], earlier)
    begin()
    if state is not None and state.get("data") != part.data.source.fingerprint:
        print(f"warning: the data of {run.folder} have changed since its last checkpoint", file=sys.stderr)
    if joined() is not None:
        call(*words_for_others(config, run, part))
    fit_stage(part, run, config, state, stop)
    export_networks(run, part)
    if module.iteration >= module.length:
        run.mark_finished(name, module.iteration)
    return module.images_seen - begun["images_seen"]


def fit_stage(
    part: Ready,
    run: Run,
    config: Mapping[str, Any],
    state: Mapping[str, Any] | None,
    stop: StopSignals,
    profiler: StageProfiler | None = None,
) -> None:
    """Train one stage from the checkpoint `state` until its length or a signal; `profiler` measures its parts.

    Raises Diverged and UserError.
    """
    module = part.module
    iteration = state["iteration"] if state is not None else 0
    players = part.stage.config["models"]["players"]
    module.resume_from = following(state, module, players) if state is not None else None
    module.recorder = recorder_for(config["trainer"])
    device = accelerator(config["trainer"])
    looked_at = [callback.settle(device) for callback in part.callbacks if isinstance(callback, Health)]
    if module.recorder is not None:
        module.round = Rounds(rhythms(part.callbacks), alone=looked_at)
    module.compiled = compiled_for(module, config["trainer"])
    order_memory(module.networks.values(), config["trainer"])
    checkpoints_of(part).stop = stop
    threads, profiler = torch.get_num_threads(), profiler or StageProfiler()
    try:
        trainer = build_trainer(config, run, part, iteration, profiler)
        fitted: Any = module  # a LightningModule as well, see gantrain.training.fitted
        trainer.fit(fitted, datamodule=part.data)
        if trainer.is_global_zero:
            note_stage(run.folder, part.stage.name, module.iteration - iteration, profiler.seconds, most_memory())
    finally:
        torch.set_num_threads(threads)  # the next job of a sweep may ask for none


def rhythms(callbacks: Iterable[pl.Callback]) -> list[int]:
    """The `every` of all callbacks that act during training: 1 where it is not stated; None adds nothing."""
    acting = [
        c for c in callbacks if is_overridden("on_train_batch_start", c) or is_overridden("on_train_batch_end", c)
    ]
    return [every for callback in acting if (every := getattr(callback, "every", 1)) is not None]


def checkpoints_of(part: Ready) -> Checkpoints:
    return next(callback for callback in part.callbacks if isinstance(callback, Checkpoints))


def stopped_by_health(part: Ready) -> Finding | None:
    """The finding by which health has ended the stage's training, or None."""
    return next((callback.stopped for callback in part.callbacks if isinstance(callback, Health)), None)


def build_trainer(
    config: Mapping[str, Any], run: Run, part: Ready, iteration: int, profiler: StageProfiler
) -> pl.Trainer:
    stage = part.stage
    options = set_up(config["trainer"])
    if processes_of(config["trainer"]) > 1:
        command = [sys.executable, "-m", "gantrain.training.worker", *words_for_others(config, run, part)]
        options["strategy"] = TurnTaking(command, config["trainer"].get("threads"))
        launch = joined()
        options["plugins"] = [LightningEnvironment() if launch is None else launch.environment()]
    return pl.Trainer(
        **options,
        # Checkpoints come last: a checkpoint means that everything due at its iteration is done.
        callbacks=sorted(part.callbacks, key=lambda callback: isinstance(callback, Checkpoints)),
        logger=build_loggers(config, run.folder, stage.tag, iteration),
        profiler=profiler,
        default_root_dir=str(run.folder),
        max_epochs=-1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


def words_for_others(config: Mapping[str, Any], run: Run, part: Ready) -> tuple[str, str, str]:
    """The words by which another process takes part in a stage: folder, stage and plugins."""
    return str(run.folder.absolute()), part.stage.name, ",".join(config.get("plugins") or [])


def hand_over(module: GANModule) -> None:
    """Give the networks their averaged weights, and move them to the CPU, where the next stage expects them."""
    for name, averaged in module.ema.copies.items() if module.ema is not None else ():
        module.networks[name].load_state_dict(averaged.state_dict())
    module.to("cpu")


def export_networks(run: Run, part: Ready) -> None:
    module, nodes = part.module, part.stage.config["networks"]
    names = module.networks_for_use()
    averaged = {} if module.ema is None else dict(module.ema.copies)
    export(run.networks, {name: module.networks[name] for name in names}, averaged, nodes)
