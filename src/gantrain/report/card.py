"""The model card of a run: what it is, by what it was trained on, how, with which scores and within which limits."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from gantrain import __version__
from gantrain.config.stages import Stage, stages_of
from gantrain.config.techniques import techniques
from gantrain.drawing.text import clock
from gantrain.report.page import describe_data, training_seconds
from gantrain.run.folder import Run, frames
from gantrain.run.health import is_look, read_looks
from gantrain.run.metrics import read_records
from gantrain.run.scores import newest_scores, read_scores
from gantrain.run.uses import a_class, commands_of, takes_texts, uses_of


def card_of(run: Run, repository: str, license: str | None, checkpoints: bool) -> str:
    """The page README.md of a run in `repository`, where it may be resumed if its `checkpoints` are there as well."""
    config = run.config()
    *_, last = stages = stages_of(config)
    records = [record for record in read_records(run.metrics_file) if not is_look(record)]
    files = frames(run.samples(last.tag))
    names = sorted(place.parent.name for place in run.networks.glob("*/weights.safetensors"))
    pages = Environment(
        loader=PackageLoader("gantrain", "report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return pages.get_template("card.md").render(
        version=__version__,
        license=license,
        task=task_of(last),
        tags=tags_of(last),
        title=repository.partition("/")[2],
        repository=repository,
        networks=f"experiment {config['name']}" if config.get("name") else "an experiment without a name",
        names=", ".join(names),
        samples=files[-1].relative_to(run.folder).as_posix() if files else None,
        commands=list(commands_of(last, "RUN").values()),
        resumable=checkpoints,
        data=data_of(stages),
        training=training_of(config, stages, records),
        scores=newest_scores(read_scores(run.folder)),
        several=len(stages) > 1,
        limits=limits_of(run, config, stages),
    )


def task_of(stage: Stage) -> str | None:
    """The Hub's task for what a run is for, where it has one: of pictures of a class it knows none."""
    if {"age", "upscale", "translate", "inpaint"} & set(uses_of(stage).verbs):
        return "image-to-image"
    if not makes_pictures(stage) or a_class(stage):
        return None
    return "text-to-image" if takes_texts(stage) else "unconditional-image-generation"


def tags_of(stage: Stage) -> list[str]:
    """What people look for on the Hub, beside a task."""
    of_a_class = makes_pictures(stage) and a_class(stage)
    return ["gan", "gantrain", *(["conditional-image-generation"] if of_a_class else [])]


def makes_pictures(stage: Stage) -> bool:
    """Whether it makes pictures of noise, and not volumes."""
    return "sample" in uses_of(stage).verbs and bool(stage.config["data"].get("channels"))


def data_of(stages: Sequence[Stage]) -> list[str]:
    """What the run was trained on, as far as its config says."""
    lines = {f"{stage.tag}: {told}" if stage.tag else told: stage for stage in stages for told in [described(stage)]}
    names = stages[-1].config["data"].get("class_names")
    return [*lines, *([f"classes: {', '.join(map(str, names))}"] if names else [])]


def described(stage: Stage) -> str:
    data = stage.config["data"]
    kept = data.get("holdout") or 0
    held = f", {f'{kept:.0%}' if kept < 1 else kept} of them held out" if kept else ""
    return f"{describe_data(data)}, pictures in {list(data.get('range', (0, 1)))}{held}"


def training_of(config: Mapping[str, Any], stages: Sequence[Stage], records: Sequence[Mapping]) -> dict[str, str]:
    seen = {record["stage"]: (record["iteration"], record["images_seen"]) for record in records}
    told = {
        f"{stage.tag} length".strip(): f"{seen[stage.name][0]:,} iterations, {seen[stage.name][1]:,} images"
        for stage in stages
        if stage.name in seen
    }
    if records:
        told["time"] = clock(training_seconds(records))
    for stage in stages:
        losses = (stage.config.get("losses") or {}).values()
        kinds = [
            node["_target_"].rpartition(".")[2] for node in losses if isinstance(node, Mapping) and "_target_" in node
        ]
        told[f"{stage.tag} losses".strip()] = ", ".join(kinds) or "its family's"
        if on := techniques(stage.config):
            told[f"{stage.tag} techniques".strip()] = on
    return {**told, "precision": config["trainer"]["precision"], "seed": str(config["seed"])}


def limits_of(run: Run, config: Mapping[str, Any], stages: Sequence[Stage]) -> list[str]:
    """What a user should not expect."""
    lines = ["It has seen the data above and nothing else; what it makes looks like these, with what is wrong in them."]
    lines += [
        f"The training of {stage.tag or 'this run'} has not come to its end."
        for stage in stages
        if run.finished(stage.name) is None
    ]
    for stage in stages:
        if looks := read_looks(run.metrics_file, stage.name):
            of_stage = f" of {stage.tag}" if stage.tag else ""
            lines.append(f"Health{of_stage} after {looks[-1].iteration:,} iterations: {looks[-1].finding}.")
    if config.get("plugins"):
        lines.append(f"It needs code of its author's: {', '.join(config['plugins'])}.")
    return lines
