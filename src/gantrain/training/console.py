"""What a run says before and after it trains."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from gantrain.config.stages import Stage
from gantrain.config.techniques import plain, techniques
from gantrain.drawing.text import clock, pace
from gantrain.folders import configs_folder
from gantrain.models.schedules import ends
from gantrain.parallel import processes_of
from gantrain.run.folder import REPORT_FILE, Run, frames
from gantrain.run.scores import read_scores
from gantrain.run.uses import OF_TEXTS, TOLD, a_class, code_of, program, takes_texts, uses_of
from gantrain.training.machine import described
from gantrain.training.outcome import Outcome
from gantrain.training.prepare import Ready

FEW = 4  # scores at the end


def print_header(ready: Sequence[Ready], run: Run) -> None:
    config = ready[-1].stage.config
    trainer = config["trainer"]
    facts = {"experiment": config.get("name"), "run": run.folder}
    if config.get("init_from"):
        facts["starts from"] = config["init_from"]
    for part in ready:
        data, module, tag = part.data, part.module, part.stage.tag
        sizes = [f"{name} {sum(p.numel() for p in net.parameters()):,}" for name, net in module.networks.items()]
        classes = f", {module.classes} classes" if module.classes else ""
        facts[f"{tag} data".strip()] = f"{len(data):,} images, {'x'.join(map(str, data.shape))}{classes}"
        told = penalties(part.stage)
        facts[f"{tag} parameters".strip()] = ", ".join(sizes) + (told and f"; penalties {told}")
        if on := techniques(part.stage.config):
            facts[f"{tag} techniques".strip()] = on
        images = module.length * data.batch_size * processes_of(trainer)
        facts[f"{tag} length".strip()] = f"{module.length:,} iterations, {images:,} images"
    processes = f", {count} processes" if (count := processes_of(trainer)) > 1 else ""
    facts["device"] = f"{described(trainer)}, {trainer['precision']}{processes}"
    width = max(map(len, facts))
    print("\n".join(f"{key:<{width}}  {value}" for key, value in facts.items()), flush=True)


def penalties(stage: Stage) -> str:
    """Every penalty of a stage and where it comes from: a group of losses adds its own to the experiment's."""
    losses = stage.config.get("losses") or {}
    told = []
    for name, node in (losses.get("penalties") or {}).items():
        if node is None:
            continue
        kind, every = node["_target_"].rpartition(".")[2], node.get("every", 1)
        when = "every turn" if every == 1 else f"every {every} turns"
        origin = origin_of(name, node, losses) or f"from {stage.config.get('name')} or the command line"
        weight = plain(node["weight"]) if "weight" in node else "as usual"
        told.append(f"{name} ({kind}, weight {weight}, {when}, {origin})")
    return ", ".join(told)


def origin_of(name: str, penalty: Mapping[str, Any], losses: Mapping[str, Any]) -> str | None:
    """The group of losses that brings a penalty, or None where none with this adversarial loss does."""
    for kind, group in groups_of_losses(configs_folder() / "losses").items():
        brought = group.get("penalties") or {}
        if not (brought.keys() <= losses["penalties"].keys() and group.keys() - {"defaults"} <= losses.keys()):
            continue
        theirs = brought.get(name)
        kinds = [(part.get("adversarial") or {}).get("_target_") for part in (group, losses)]
        if theirs and kinds[0] == kinds[1] and theirs["_target_"] == penalty["_target_"]:
            return f"from losses={kind}" + (", changed" if theirs != penalty else "")
    return None


@functools.cache
def groups_of_losses(folder: Path) -> dict[str, dict[str, Any]]:
    """What each of the losses that can be chosen states, by name."""
    files = sorted(folder.glob("*.yaml"))
    return {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) or {} for file in files}


def print_end(outcome: Outcome) -> None:
    run, last = outcome.run, outcome.last
    folder, word, gantrain = run.folder, run.quoted, program()
    option, again = code_of(last.config)
    if outcome.signum:
        print(f"stopped; go on with: {gantrain} resume {word}{again}", flush=True)
        return
    if outcome.unhealthy:
        print(
            f"stopped by callbacks.health.on=stop, for it is unhealthy: {outcome.unhealthy.verdict}; "
            f"`{gantrain} health {word}` says more\n"
            f"first remedy: {outcome.unhealthy.remedy}\n"
            f"to go on all the same: {gantrain} resume {word} callbacks.health.on=warn{again}",
            flush=True,
        )
        return
    if not outcome.images:
        way_out = "" if is_over(run, last) else "; raise iterations= to go on"
        print(f"nothing left to train in {folder}{way_out}", flush=True)
        return
    pictures = frames(run.samples(last.tag))
    report = folder / REPORT_FILE
    uses, texts = uses_of(last).verbs, f" {OF_TEXTS.words}" if takes_texts(last) else ""
    lines = [
        f"done in {clock(outcome.seconds)}, {pace(outcome.images, outcome.seconds)}",
        *(scores(outcome)),
        *([f"picture  {pictures[-1]}"] if pictures else []),
        *([f"report   {report}"] if report.is_file() else []),
        *([f"sample   {gantrain} sample {word}{texts}{option}"] if "sample" in uses else []),
        *([f"class    {gantrain} sample {word} {of_class}{option}"] if (of_class := a_class(last)) else []),
        *(
            f"use      {gantrain} {verb} {word} {TOLD[verb].words}{option}"
            for verb in TOLD
            if verb in uses and verb != "sample"
        ),
        *([] if is_over(run, last) else [f"longer   {gantrain} resume {word} {last.key('iterations')}=N{again}"]),
        *([f"curves   {program('tensorboard')} --logdir {word}"] if run.has_events else []),
    ]
    print("\n".join(lines), flush=True)


def is_over(run: Run, last: Stage) -> bool:
    """Whether a schedule has come to its end in the last stage, so that the run cannot be prolonged."""
    return any(run.reached(last.name) >= end for end in ends(last.config["models"]).values())


def scores(outcome: Outcome) -> list[str]:
    """A line with the first few of the scores that the run ended with."""
    records = read_scores(outcome.run.folder)
    if not records or not outcome.last.config.get("evaluation"):
        return []
    told = [f"{name} {score}" for name, score in records[-1].result.scores.items()]
    more = f", and {len(told) - FEW} more in the report" if len(told) > FEW else ""
    return [f"scores   {', '.join(told[:FEW])}{more}"]
