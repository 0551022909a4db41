"""`gantrain evaluate`: what is measured of a run, told and kept with it."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from gantrain.cli.options import writing
from gantrain.config.build import build
from gantrain.config.changes import apply, named, read
from gantrain.config.checks import check
from gantrain.config.keys import keys_of, meant
from gantrain.config.stages import ONLY_STAGE, Stage
from gantrain.drawing.text import aligned
from gantrain.errors import UserError
from gantrain.evaluation.base import Evaluation
from gantrain.files import replacing
from gantrain.models.loop.eval_mode import undisturbed
from gantrain.report.page import report_at_end
from gantrain.run.folder import REPORT_FILE, Run, Taken
from gantrain.run.scores import Record, add_scores
from gantrain.run.uses import uses_of
from gantrain.training.loading import load_trained
from gantrain.training.machine import accelerator

WAIT = 10  # seconds for another that writes its scores at this moment
SHORT = ("samples", "backbone", "weights", "seed")  # options that are evaluation.<name>


def evaluate(args: argparse.Namespace) -> None:
    found = measured(args)
    print("\n".join(described(found)), flush=True)
    if args.json is not None:
        with writing("--json", args.json), replacing(args.json) as temporary:
            temporary.write_text(json.dumps({"run": str(args.run), **found.plain()}, indent=2) + "\n", encoding="utf-8")
    keep(Run.open(args.run), found)


def keep(run: Run, found: Record) -> None:
    """Add scores to those of a run, and to its report, unless another process is training it, which is said."""
    try:
        with run.locked(wait=WAIT):
            add_scores(run.folder, found)
            if (run.folder / REPORT_FILE).is_file():  # these scores on top of those that it shows
                report_at_end(run, run.config())
    except Taken as error:
        print(f"gantrain: not kept in the run, only told here ({error}); --json FILE keeps them", file=sys.stderr)
    except OSError as error:
        raise UserError(
            f"{error.filename or run.folder}: {error.strerror or error}; the scores are told here and not kept in the "
            f"run, --json FILE keeps them"
        ) from error


def measured(args: argparse.Namespace) -> Record:
    """Measure a run by its own evaluation, of which the options replace some. Raises UserError."""
    trained = load_trained(args.run, args.plugins, args.best)
    stage, module = trained.stage, trained.module
    config, changes = stage.config, [read(word) for word in args.overrides]
    if not config.get("evaluation") and "evaluation" not in dict(changes):
        config["evaluation"] = usual(args.run, stage)
    for key, value in changes:
        if key not in ("evaluation", "data.root") and not key.startswith("evaluation."):
            way_out = meant(key, (k for k in keys_of(config) if k.startswith("evaluation.")), outside=("data.root",))
            raise UserError(f"{key}: only evaluation, its keys and data.root can be set here{way_out}")
        apply(config, key, value)
    if not config["evaluation"]:
        raise UserError("evaluation=none measures nothing; choose another")
    for name in SHORT:
        if getattr(args, name) is not None:
            apply(config, f"evaluation.{name}", getattr(args, name))
    check(config)
    evaluation = build(config["evaluation"], "evaluation", Evaluation)
    data = trained.data.open()
    evaluation.check(module, data)
    module.to(accelerator(config["trainer"]))
    began = time.monotonic()
    with undisturbed(module, module.device):
        result = evaluation.measure(module, data, args.raw)
    seconds = round(time.monotonic() - began, 3)
    return Record(stage.name, trained.iteration, trained.images_seen, seconds, result)


def usual(folder: Path, stage: Stage) -> dict[str, Any]:
    """The evaluation of a run that was trained without one. Raises UserError where neither family nor data have one."""
    uses = uses_of(stage)
    if uses.usual_evaluation is None:
        looks = "".join(f"look at what `gantrain {verb}` makes, or " for verb in uses.verbs[-1:])
        raise UserError(
            f"{folder} was trained with evaluation=none, and its family has no usual one; {looks}name one with "
            f"evaluation=NAME"
        )
    return named("evaluation", uses.usual_evaluation, "evaluation")


def described(found: Record) -> list[str]:
    """The scores as lines of a table, then its protocol."""
    rows = [
        {
            "score": name,
            "value": f"{score.value:.4g}",
            "standard error": "" if score.error is None else f"{score.error:.2g}",
            "better": score.better,
        }
        for name, score in found.result.scores.items()
    ]
    lines = aligned(rows)
    for name, table in found.result.tables.items():
        lines += ["", name, *aligned([{key: str(value) for key, value in row.items()} for row in table])]
    facts = ", ".join(f"{key} {value}" for key, value in found.result.protocol.items() if value is not None)
    where = f"stage {found.stage}, " if found.stage != ONLY_STAGE else ""
    return [*lines, "", f"protocol  {facts}", f"measured  {where}iteration {found.iteration:,}, {found.seconds:.0f} s"]
