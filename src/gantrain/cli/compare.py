"""`gantrain compare RUN RUN ...`: show scores side by side, if they were measured alike.

Examples:
    gantrain compare runs/a runs/b
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from gantrain.cli.options import Add
from gantrain.drawing.text import aligned
from gantrain.errors import UserError
from gantrain.evaluation.protocol import OF_THE_MODEL, unlike
from gantrain.run.folder import Run
from gantrain.run.scores import Record, Score, newest_scores, read_scores

SURE = 2.0  # standard errors of a difference


def add_options(add: Add) -> None:
    add("runs", nargs="+", type=Path, metavar="RUN", help="runs with scores")


def main(args: argparse.Namespace) -> None:
    if len(args.runs) < 2:
        raise UserError("compare: name two runs or more")
    runs = {chr(ord("a") + i) if i < 26 else str(i): run for i, run in enumerate(args.runs)}
    measured = {label: newest(run) for label, run in runs.items()}
    groups = [group for group in alike(measured) if len(group) > 1]
    if not groups:
        (first, (like, *_)), *others = measured.items()
        reasons = [f"{runs[o]} against {runs[first]}: {difference(like, records[0])}" for o, records in others]
        raise UserError("compare: nothing was measured alike: " + "; ".join(reasons))
    for label, run in runs.items():
        print(f"{label}  {run}")
    for group in groups:
        print("\n" + "\n".join(table(group)))
    (like, *_) = max(groups, key=len).values()
    for label, records in measured.items():
        if not any(label in group for group in groups):
            print(
                f"\n{label} is left out, for it was measured differently ({difference(like, records[0])}); "
                f"`gantrain evaluate {runs[label]}` with the same options makes it comparable"
            )


def newest(run: Path) -> list[Record]:
    """The run's newest scores under each protocol. Raises UserError where there are none."""
    Run.open(run)
    found = newest_scores(read_scores(run))
    if not found:
        raise UserError(f"{run} has no scores; `gantrain evaluate {run}` measures them")
    return found


def alike(measured: Mapping[str, Sequence[Record]]) -> list[dict[str, Record]]:
    """Records by the labels of their runs in groups that may be compared; each run once in a group, with its newest."""
    groups: list[dict[str, Record]] = []
    for label, records in measured.items():
        for one in records:
            group = next((g for g in groups if not difference(next(iter(g.values())), one)), None)
            if group is None:
                groups.append({label: one})
            else:
                group.setdefault(label, one)
    return groups


def table(group: Mapping[str, Record]) -> list[str]:
    """A row per score, a column per run; `*` marks the best, `~` what cannot be told from it."""
    rows = []
    for name in dict.fromkeys(name for record in group.values() for name in record.result.scores):
        scores = {label: found[name] for label, record in group.items() if name in (found := record.result.scores)}
        best = min(scores.values(), key=Score.cost)
        cells = {label: f"{score}{mark(score, best, len(scores))}" for label, score in scores.items()}
        rows.append({"score": name, **cells, "better": best.better})
    told = [f"{label}: iteration {record.iteration:,}" for label, record in group.items()]
    for key in OF_THE_MODEL:
        values = {label: record.result.protocol.get(key) for label, record in group.items()}
        if len(set(map(repr, values.values()))) > 1:
            told.append(f"{key} differ: " + ", ".join(f"{label} {value}" for label, value in values.items()))
    return [*aligned(rows), "* best, ~ within two standard errors of it. " + "; ".join(told)]


def mark(score: Score, best: Score, count: int) -> str:
    if count < 2 or not math.isfinite(score.value):
        return ""
    if score is best:
        return " *"
    if score.error is None or best.error is None:
        return " *" if score.value == best.value else ""
    return " ~" if abs(score.value - best.value) <= SURE * math.hypot(score.error, best.error) else ""


def difference(like: Record, other: Record) -> str:
    """What keeps a record from being compared with `like`; empty where nothing does."""
    of_like, of_other = like.result.protocol, other.result.protocol
    differing = unlike(of_like, of_other)
    return ", ".join(f"{key} {of_other.get(key)} instead of {of_like.get(key)}" for key in differing)
