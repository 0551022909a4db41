"""Building and checking all stages of a run, before anything is trained or written."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from gantrain.callbacks.attention import AttentionMaps
from gantrain.config.build import allow_plugins, build, check_options
from gantrain.config.stages import Stage, stages_of
from gantrain.data import GANDataModule
from gantrain.errors import UserError
from gantrain.evaluation.base import Evaluation
from gantrain.models.base import GANModule
from gantrain.models.checks import check_minibatch, check_norms, check_packs
from gantrain.models.growth import Growth
from gantrain.models.schedules import ends
from gantrain.networks.torchscript import trust, trust_backbone
from gantrain.parallel import processes_of
from gantrain.run.folder import Run
from gantrain.training import assemble, watchers
from gantrain.training.acceptance import check_batch_norm, check_frozen, check_growth, check_range
from gantrain.training.fitted import fitted, fitted_data
from gantrain.training.machine import check_machine
from gantrain.training.transfer import start_from


@dataclass
class Ready:
    """A stage that is built and checked."""

    stage: Stage
    data: GANDataModule
    module: GANModule
    callbacks: list[pl.Callback]  # its own: they count in its iterations


def prepare(stages: Sequence[Stage], run: Run | None = None) -> list[Ready]:
    """Build and check every stage of a run; writes nothing but the data cache. Raises UserError.

    `run` is the run that is resumed; if it has a checkpoint, it takes no weights from `init_from`.
    """
    config = stages[0].config  # what lies outside of stages is the same in all
    allow_plugins(config.get("plugins") or [])
    check_machine(config["trainer"])
    networks = assemble.build_networks(stages)
    begun = run is not None and any(run.checkpoint_files(stage.name) for stage in stages)
    learnt: Mapping[str, Any] = {}
    nodes = {name: node for stage in stages for name, node in stage.config["networks"].items()}
    check_frozen(nodes, config.get("init_from"))
    if config.get("init_from") and not begun:
        learnt = start_from(networks, nodes, config["init_from"], config.get("plugins") or [])
    side = Growth(networks, None).size
    evaluation = build(config["evaluation"], "evaluation", Evaluation) if config.get("evaluation") else None
    if evaluation is not None and len(stages) > 1:
        evaluation.check_stages([stage.tag for stage in stages])
    callbacks = [watchers.build_callbacks(config, evaluation) for _ in stages]
    watchers.build_loggers(config, "", "", 0)  # only to find mistakes; the real ones need the run's folder
    modules = [assemble.build_stage(stage, networks, fitted) for stage in stages]
    for module in modules:
        assemble.check_optimizers(module)
        for of_file in module.from_files():
            of_file.find()  # now, since filling the data cache may take hours
    ready: list[Ready] = []
    for stage, module, watching in zip(stages, modules, callbacks, strict=True):
        same = [part.data for part in ready if part.stage.config["data"] == stage.config["data"]]
        part = Ready(stage, same[0] if same else assemble.build_data(stage, fitted_data).open(), module, watching)
        check(part, run, evaluation, side)
        side = part.data.size
        ready.append(part)
    for part in ready:
        remember_classes(part, learnt.get("class_names"))
    return ready


def check(part: Ready, run: Run | None, evaluation: Evaluation | None, side: int | None) -> None:
    """Raise UserError where a stage's data, networks and length do not fit each other; sets the module's length.

    `side` is the size that growing networks had before the stage.
    """
    stage, data, module, config = part.stage, part.data, part.module, part.stage.config
    batch = data.batch_size * processes_of(config["trainer"])
    if batch > data.variety:
        key = stage.key("data.batch_size")
        raise UserError(f"{key}: a batch of {batch} is larger than the data, {data.variety} images")
    if data.batch_size % module.microbatches:
        raise UserError(f"models.microbatches: {data.batch_size} images do not divide into {module.microbatches}")
    module.length = length_of(stage, len(data), batch, run)
    check_ends(stage, module.length, run)
    if module.fade_images and run is None:
        check_growth(stage, side, module.length * batch)
    batch_of_two = data.examples(2)
    module.check(batch_of_two)
    module.study(data)
    for check_pass in (check_norms, check_packs, check_minibatch):
        check_pass(module.networks, data.batch_size // module.microbatches)
    check_batch_norm(module, data, batch_of_two)
    for callback in part.callbacks:
        if isinstance(callback, AttentionMaps):
            callback.check(module)
    if run is None:
        check_range(module, data, config["networks"], batch_of_two)
    if evaluation is not None and evaluation.applies(stage.tag):
        evaluation.check(module, data)
        evaluation.check_best(module, data)


def remember_classes(part: Ready, learnt: Sequence[str] | None) -> None:
    """Put the names of the classes into a stage's config, so that the run knows what class numbers mean.

    Raises UserError where the run of `init_from` has `learnt` other classes.
    """
    names = part.data.source.class_names
    if not part.module.classes or names is None:
        return
    if learnt not in (None, list(names)):
        raise UserError(
            f"init_from: {part.stage.config['init_from']} has learnt the classes {', '.join(learnt)}, the data have "
            f"{', '.join(names)}; give it the same, in folders of the same names"
        )
    part.stage.config["data"]["class_names"] = list(names)


def length_of(stage: Stage, images: int, batch: int, run: Run | None) -> int:
    """The iterations of a stage. Epochs are counted in images: a resumed run may have had another batch size before.

    A finished stage with later stages keeps its length, even if there are more data now.
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
    # `max`: a last, larger batch may have gone beyond the epochs.
    return state["iteration"] + max(0, math.ceil((epochs * images - state["images_seen"]) / batch))


def check_ends(stage: Stage, length: int, run: Run | None) -> None:
    """Raise UserError where a player's schedule reaches rate 0 before the stage ends: it would learn nothing more."""
    for name, end in ends(stage.config["models"]).items():
        if length > end:
            key = stage.key(f"models.players.{name}.schedule.end")
            way_out = f"set {key}={length}"
            if run is not None:
                way_out += f", which makes it another run from here on, or start a new run with init_from={run.quoted}"
            raise UserError(f"{key} is {end:,}: its rate is 0 from there on, and {length:,} were asked for; {way_out}")


def check_parts(config: Mapping[str, Any]) -> None:
    """Raise UserError for unknown options and parts that cannot be built; reads no data and no weights."""
    allow_plugins(config.get("plugins") or [])
    check_options(config, "")
    stages = stages_of(config)
    networks = assemble.build_networks(stages)
    for stage in stages:
        assemble.build_data(stage)
        assemble.check_optimizers(assemble.build_stage(stage, networks))


def trust_new(stages: Sequence[Stage]) -> None:
    """Trust the TorchScript files that the config of a new run names, since it is the user's own config."""
    for key in ("backbone", "judge"):
        trust_backbone((stages[0].config.get("evaluation") or {}).get(key))
    for stage in stages:
        for node in stage.config["networks"].values():
            file = Path(str(node.get("path") or "")).expanduser()
            if not node.get("model") and file.is_file():
                trust(file)
