"""What health has measured and said of a run: its lines in metrics.jsonl, those with a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gantrain.run.metrics import read_records

Values = dict[str, Any]  # numbers, lists of numbers, and None for what is not finite or was not measured
YOUNG = "too early to say"  # no verdict yet


@dataclass(frozen=True)
class Finding:
    """A verdict in words, the evidence for it, and a first remedy that names a key."""

    verdict: str
    evidence: Sequence[str] = ()
    remedy: str = ""

    def __str__(self) -> str:
        return self.verdict + (f": {', '.join(self.evidence)}" if self.evidence else "")


@dataclass(frozen=True)
class Look:
    """What was measured after `iteration` of `stage`, and what was found in it and those before.

    `missing` says what cannot be measured of this game.
    """

    stage: str
    iteration: int
    images_seen: int
    seconds: float
    values: Values
    finding: Finding
    missing: Sequence[str] = field(default=())

    def plain(self) -> dict[str, Any]:
        """The record of metrics.jsonl."""
        facts = asdict(self)
        return {**facts, **facts.pop("finding")}


def is_look(record: Mapping[str, Any]) -> bool:
    """Whether a record of metrics.jsonl is health's; the others hold losses and the like."""
    return isinstance(record.get("verdict"), str)


def read_looks(file: Path, stage: str | None = None) -> list[Look]:
    """What health has said, of one stage or of all, oldest first; what is no whole record is left out."""
    return [
        Look(
            record["stage"],
            record["iteration"],
            record["images_seen"],
            record["seconds"],
            record["values"],
            Finding(record["verdict"], texts(record.get("evidence")), str(record.get("remedy") or "")),
            texts(record.get("missing")),
        )
        for record in read_records(file)
        if is_look(record) and stage in (None, record["stage"])
    ]


def texts(value: Any) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list) else []


def changes(looks: Sequence[Look]) -> list[Look]:
    """The looks at which a stage's verdict became another."""
    found: list[Look] = []
    for look in looks:
        last = next((one for one in reversed(found) if one.stage == look.stage), None)
        if look.finding.verdict != (YOUNG if last is None else last.finding.verdict):
            found.append(look)
    return found
