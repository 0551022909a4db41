"""`scores.jsonl` of a run: every result with where in training it was measured, and which of them is best."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from gantrain.errors import UserError
from gantrain.run.lines import read_lines, write_lines


@dataclass(frozen=True)
class Score:
    """A value, the direction that is better, and its standard error where it has one.

    A value that could not be measured, or is infinite, is no better than any other; a file holds null for it.
    """

    value: float
    better: Literal["higher", "lower", "near 1"]
    error: float | None = None

    @classmethod
    def mean(cls, values: Sequence[float], better: Literal["higher", "lower", "near 1"]) -> "Score":
        """The mean over samples with its standard error, which one sample alone does not tell."""
        n, mean = len(values), sum(values) / len(values)
        error = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1) / n) if n > 1 else None
        return cls(mean, better, error)

    def __str__(self) -> str:
        return f"{self.value:.4g}" if self.error is None else f"{self.value:.4g} +- {self.error:.2g}"

    def cost(self) -> float:
        """What a sweep or a search for the best minimises."""
        if not math.isfinite(self.value):
            return math.inf
        if self.better == "near 1":
            return abs(math.log(self.value)) if self.value > 0 else math.inf
        return self.value if self.better == "lower" else -self.value


@dataclass(frozen=True)
class Result:
    """Scores by short names that carry the protocol (`fid10k_tf`); the protocol in full; tables for people."""

    scores: Mapping[str, Score]
    protocol: Mapping[str, Any]
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """The result in types that JSON knows, which has no number that is not finite."""
        return _finite(asdict(self))

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Result":
        """Undo `plain`."""
        scores = {
            name: Score(**{**score, "value": math.nan if score["value"] is None else score["value"]})
            for name, score in plain["scores"].items()
        }
        return cls(scores, plain["protocol"], plain.get("tables", {}))


def _finite(plain: Any) -> Any:
    """Null in the place of every number that is not finite."""
    if isinstance(plain, Mapping):
        return {key: _finite(value) for key, value in plain.items()}
    if isinstance(plain, (list, tuple)):
        return [_finite(value) for value in plain]
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


@dataclass(frozen=True)
class Record:
    """A result of `stage` after `iteration`, which took `seconds` to measure."""

    stage: str
    iteration: int
    images_seen: int
    seconds: float
    result: Result

    def plain(self) -> dict[str, Any]:
        facts = _finite(asdict(self))
        return facts | facts.pop("result")


def scores_file(folder: Path) -> Path:
    return Path(folder) / "scores.jsonl"


def add_scores(folder: Path, record: Record) -> None:
    """Append a record; one of the same stage, iteration, protocol and networks is replaced."""

    def key(one: Record) -> tuple:
        return one.stage, one.iteration, one.result.protocol

    others = [other for other in read_scores(folder) if key(other) != key(record)]
    write_lines(scores_file(folder), [one.plain() for one in (*others, record)])


def read_scores(folder: Path) -> list[Record]:
    """All records, oldest first; none where nothing was measured. A line cut off by a crash is passed over.

    Raises UserError for a file that holds something else.
    """
    file, records = scores_file(folder), []
    lines = read_lines(file)
    for number, plain in enumerate(lines, 1):
        try:
            place = (str(plain["stage"]), int(plain["iteration"]), int(plain["images_seen"]), float(plain["seconds"]))
            result = Result.of(plain)
            refuse_other_kinds(result)
            records.append(Record(*place, result))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            if number == len(lines):
                continue
            raise UserError(f"{file}: line {number} is damaged; remove it and measure again") from error
    return records


def refuse_other_kinds(result: Result) -> None:
    """Raise TypeError where a result of a stranger's file has values of other kinds than ours."""
    for score in result.scores.values():
        if not (_number(score.value) and (score.error is None or _number(score.error))):
            raise TypeError("a score is no number")
        if score.better not in ("higher", "lower", "near 1"):
            raise TypeError("a score has no direction")
    rows = [row for table in result.tables.values() for row in table]
    if not isinstance(result.protocol, Mapping) or not all(isinstance(row, Mapping) for row in rows):
        raise TypeError("its protocol or a table is of another kind")


def _number(value: Any) -> bool:
    return isinstance(value, float) or (type(value) is int and abs(value) < 10**300)  # others are beyond every float


def newest_scores(records: Sequence[Record]) -> list[Record]:
    """The newest record under each protocol, newest first."""
    found: list[Record] = []
    for one in reversed(records):
        if not any(one.result.protocol == other.result.protocol for other in found):
            found.append(one)
    return found
