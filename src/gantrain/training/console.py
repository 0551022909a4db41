"""What a run says before and after it trains."""

from collections.abc import Sequence

import torch

from gantrain.config.stages import Stage
from gantrain.drawing.text import clock
from gantrain.models.schedules import ends
from gantrain.run.folder import Run, frames
from gantrain.run.scores import read_scores
from gantrain.run.uses import TOLD, uses_of
from gantrain.training.machine import accelerator
from gantrain.training.outcome import Outcome
from gantrain.training.prepare import Ready

FEW = 4  # scores at the end


def print_header(ready: Sequence[Ready], run: Run) -> None:
    config = ready[-1].stage.config
    trainer = config["trainer"]
    device = f"cpu ({trainer.get('threads') or torch.get_num_threads()} threads)"
    if accelerator(trainer) == "cuda":
        device = torch.cuda.get_device_name()
    facts = {"experiment": config.get("name"), "run": run.folder}
    if config.get("init_from"):
        facts["starts from"] = config["init_from"]
    for part in ready:
        data, module, tag = part.data, part.module, part.stage.tag
        sizes = [f"{name} {sum(p.numel() for p in net.parameters()):,}" for name, net in module.networks.items()]
        facts[f"{tag} data".strip()] = f"{len(data):,} images, {'x'.join(map(str, data.shape))}"
        facts[f"{tag} parameters".strip()] = ", ".join(sizes)
        images = module.length * data.batch_size * trainer["devices"]
        facts[f"{tag} length".strip()] = f"{module.length:,} iterations, {images:,} images"
    processes = f", {trainer['devices']} processes" if trainer["devices"] > 1 else ""
    facts["device"] = f"{device}, {trainer['precision']}{processes}"
    width = max(map(len, facts))
    print("\n".join(f"{key:<{width}}  {value}" for key, value in facts.items()), flush=True)


def print_end(outcome: Outcome) -> None:
    run, last = outcome.run, outcome.last
    folder, word = run.folder, run.quoted
    if outcome.signum:
        print(f"stopped; go on with: gantrain resume {word}", flush=True)
        return
    if not outcome.images:
        way_out = "" if is_over(run, last) else "; raise iterations= to go on"
        print(f"nothing left to train in {folder}{way_out}", flush=True)
        return
    speed = outcome.images / max(outcome.seconds, 1e-9)
    pictures = frames(run.samples(last.tag))
    report = folder / "report.html"
    uses = uses_of(last).verbs
    lines = [
        f"done in {clock(outcome.seconds)}, {speed:,.0f} images/s",
        *(scores(outcome)),
        *([f"picture  {pictures[-1]}"] if pictures else []),
        *([f"report   {report}"] if report.is_file() else []),
        *([f"sample   gantrain sample {word}"] if "sample" in uses else []),
        *(f"use      gantrain {verb} {word} {TOLD[verb].words}" for verb in TOLD if verb in uses and verb != "sample"),
        *([] if is_over(run, last) else [f"longer   gantrain resume {word} {last.key('iterations')}=N"]),
        f"curves   tensorboard --logdir {word}",
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
