"""`scores.jsonl` of a run: every result with where in training it was measured, and which of them is best."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gantrain.errors import UserError
from gantrain.evaluation.base import Result, Score
from gantrain.evaluation.protocol import names_score, unlike
from gantrain.files import replacing


@dataclass(frozen=True)
class Record:
    """A result of `stage` after `iteration`, which took `seconds` to measure."""

    stage: str
    iteration: int
    images_seen: int
    seconds: float
    result: Result

    def plain(self) -> dict[str, Any]:
        facts = {k: getattr(self, k) for k in ("stage", "iteration", "images_seen", "seconds")}
        return {**facts, **self.result.plain()}


def scores_file(folder: Path) -> Path:
    return Path(folder) / "scores.jsonl"


def add(folder: Path, record: Record) -> None:
    """Append a record; one of the same stage, iteration, protocol and networks is replaced."""
    same = [
        other
        for other in read(folder)
        if (other.stage, other.iteration) == (record.stage, record.iteration)
        and other.result.protocol == record.result.protocol
    ]
    if same:
        _write(folder, [other for other in read(folder) if other not in same])
    with scores_file(folder).open("a", encoding="utf-8") as stream:
        stream.write(_line(record))


def read(folder: Path) -> list[Record]:
    """All records, oldest first; none where nothing was measured. A line cut off by a crash is passed over.

    Raises UserError for a file that holds something else.
    """
    file = scores_file(folder)
    if not file.is_file():
        return []
    records = []
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        try:
            plain = json.loads(line)
            place = (str(plain["stage"]), int(plain["iteration"]), int(plain["images_seen"]), float(plain["seconds"]))
            result = Result.of(plain)
            if not all(isinstance(score.value, (int, float)) for score in result.scores.values()):
                raise TypeError("a score is no number")
            records.append(Record(*place, result))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            if number == len(lines):
                continue
            raise UserError(f"{file}: line {number} is damaged; remove it and measure again") from error
    return records


def newest(records: Sequence[Record]) -> list[Record]:
    """The newest record under each protocol, newest first."""
    found: list[Record] = []
    for one in reversed(records):
        if not any(one.result.protocol == other.result.protocol for other in found):
            found.append(one)
    return found


def cut(folder: Path, stages: list[str], stage: str, iteration: int) -> None:
    """Drop what was measured after `iteration` of `stage`: a resumed run measures it anew."""
    if not scores_file(folder).is_file():
        return
    at = stages.index(stage)
    kept = [
        record
        for record in read(folder)
        if record.stage in stages[:at] or (record.stage == stage and record.iteration <= iteration)
    ]
    _write(folder, kept)


def _write(folder: Path, records: Iterable[Record]) -> None:
    with replacing(scores_file(folder)) as temporary:
        temporary.write_text("".join(map(_line, records)), encoding="utf-8")


def _line(record: Record) -> str:
    return json.dumps(record.plain(), allow_nan=False) + "\n"


def score_of(result: Result, best: str | None) -> tuple[str, Score]:
    """The score that `best` names, with or without its tag, else the first. Raises UserError."""
    for name, score in result.scores.items():
        if best is None or names_score(best, name):
            return name, score
    raise UserError(f"evaluation.best is '{best}', but there are {', '.join(result.scores)}")


def best_of(records: Iterable[Record], like: Record, best: str | None) -> Record:
    """The best of the stage's records that may be compared with `like`; one without a number comes after all others."""
    comparable = [
        record
        for record in records
        if record.stage == like.stage
        and not unlike(record.result.protocol, like.result.protocol)
        and record.result.scores.keys() == like.result.scores.keys()
    ]

    def order(record: Record) -> tuple[bool, float]:
        score = score_of(record.result, best)[1]
        return not math.isfinite(score.value), score.cost()

    return min([*comparable, like], key=order)
