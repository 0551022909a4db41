"""`gantrain compare RUN RUN ...`: scores side by side, where they were measured alike."""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gantrain.drawing.text import aligned
from gantrain.errors import UserError
from gantrain.evaluation.protocol import OF_THE_MODEL, unlike
from gantrain.run.folder import Run
from gantrain.run.scores import Record, Score, newest_scores, read_scores

SURE = 2.0  # standard errors of a difference


@dataclass
class Entry:
    """A run's newest scores under one protocol; `label` is its column."""

    label: str
    run: Path
    found: Record


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        "gantrain compare", description="Scores side by side, where they were measured alike."
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="runs with scores")
    args = parser.parse_args(words)
    if len(args.runs) < 2:
        raise UserError("compare: name two runs or more")
    measured = {label(i): newest(run) for i, run in enumerate(args.runs)}
    runs = {label(i): run for i, run in enumerate(args.runs)}
    groups = [group for group in alike(measured, runs) if len(group) > 1]
    if not groups:
        raise UserError("compare: nothing was measured alike: " + "; ".join(reasons(measured, runs)))
    for name, run in runs.items():
        print(f"{name}  {run}")
    for group in groups:
        print("\n" + "\n".join(table(group)))
    for line in strangers(groups, measured, runs):
        print(f"\n{line}")
    return 0


def label(number: int) -> str:
    """a, b, ... z, then 26, 27, ..."""
    return chr(ord("a") + number) if number < 26 else str(number)


def newest(run: Path) -> list[Record]:
    """The run's newest scores under each protocol. Raises UserError where there are none."""
    Run.open(run)
    found = newest_scores(read_scores(run))
    if not found:
        raise UserError(f"{run} has no scores; `gantrain evaluate {run}` measures them")
    return found


def alike(measured: dict[str, list[Record]], runs: dict[str, Path]) -> list[list[Entry]]:
    """Entries in groups that may be compared; each run once in a group, with its newest."""
    groups: list[list[Entry]] = []
    for name, records in measured.items():
        for one in records:
            entry = Entry(name, runs[name], one)
            group = next((g for g in groups if not unlike(g[0].found.result.protocol, one.result.protocol)), None)
            if group is None:
                groups.append([entry])
            elif all(other.label != name for other in group):
                group.append(entry)
    return groups


def table(group: Sequence[Entry]) -> list[str]:
    """A row per score, a column per run; `*` marks the best, `~` what cannot be told from it."""
    names = dict.fromkeys(name for entry in group for name in entry.found.result.scores)
    rows = []
    for name in names:
        scores = {e.label: e.found.result.scores[name] for e in group if name in e.found.result.scores}
        best = min(scores.values(), key=Score.cost)
        cells = {key: f"{score}{mark(score, best, len(scores))}" for key, score in scores.items()}
        rows.append({"score": name, **cells, "better": best.better})
    told = [f"{e.label}: iteration {e.found.iteration:,}" for e in group]
    for key in OF_THE_MODEL:
        values = {e.label: e.found.result.protocol.get(key) for e in group}
        if len(set(values.values())) > 1:
            told.append(f"{key} differ: " + ", ".join(f"{name} {value}" for name, value in values.items()))
    return [*aligned(rows), "* best, ~ within two standard errors of it. " + "; ".join(told)]


def mark(score: Score, best: Score, count: int) -> str:
    if count < 2 or not math.isfinite(score.value):
        return ""
    if score is best:
        return " *"
    if score.error is None or best.error is None:
        return " *" if score.value == best.value else ""
    return " ~" if abs(score.value - best.value) <= SURE * math.hypot(score.error, best.error) else ""


def strangers(groups: Sequence[Sequence[Entry]], measured: dict[str, list[Record]], runs: dict[str, Path]) -> list[str]:
    """A sentence for every run that no group holds."""
    shown = {entry.label for group in groups for entry in group}
    main_group = max(groups, key=len)
    like = main_group[0].found.result.protocol
    return [
        f"{name} is left out, for it was measured differently ({difference(like, records[0].result.protocol)}); "
        f"`gantrain evaluate {runs[name]}` with the same options makes it comparable"
        for name, records in measured.items()
        if name not in shown
    ]


def reasons(measured: dict[str, list[Record]], runs: dict[str, Path]) -> list[str]:
    first, *others = measured
    like = measured[first][0].result.protocol
    return [f"{runs[o]} against {runs[first]}: {difference(like, measured[o][0].result.protocol)}" for o in others]


def difference(like: dict, other: dict) -> str:
    return ", ".join(f"{key} {other.get(key)} instead of {like.get(key)}" for key in unlike(like, other))
