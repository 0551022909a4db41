"""`gantrain health RUN`: say how healthy a run was: when its verdict changed, the evidence, what to try.

Examples:
    gantrain health RUN
"""

import argparse
from pathlib import Path

from gantrain.cli.options import Add
from gantrain.config.stages import ONLY_STAGE
from gantrain.drawing.text import aligned
from gantrain.errors import UserError
from gantrain.run.folder import Run
from gantrain.run.health import YOUNG, Look, changes, read_looks
from gantrain.run.metrics import is_number


def add_options(add: Add) -> None:
    add("run", type=Path, help="the run's directory")


def main(args: argparse.Namespace) -> None:
    run = Run.open(args.run)
    looks = read_looks(run.metrics_file)
    if not looks:
        raise UserError(
            f"{args.run}: health has not looked at it; it looks every callbacks.health.every iterations, where "
            f"callbacks.health is not null"
        )
    for stage in dict.fromkeys(look.stage for look in looks):
        print("\n".join(described([look for look in looks if look.stage == stage])))


def described(looks: list[Look]) -> list[str]:
    """A stage's verdicts from first to last, and what was measured last."""
    last = looks[-1]
    lines = [f"stage {last.stage}"] if last.stage != ONLY_STAGE else []
    told = changes(looks)
    if not told:
        lines.append(f"{last.iteration:>9,}  {YOUNG}")
    for look in told:
        lines.append(f"{look.iteration:>9,}  {look.finding}")
        if look.finding.remedy:
            lines.append(f"{'':>9}  first remedy: {look.finding.remedy}")
    if told and last is not told[-1]:
        lines.append(f"{last.iteration:>9,}  {last.finding}, since iteration {told[-1].iteration:,}")
    lines += [f"{'':>9}  not measured: {reason}" for reason in next((x.missing for x in looks if x.missing), ())]
    rows = [{"measure": name, "last": f"{v:.4g}"} for name, v in last.values.items() if is_number(v)]
    return [*lines, "", *aligned(rows)] if rows else lines
