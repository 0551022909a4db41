"""What a run has recorded: the lines of metrics.jsonl that are whole."""

import math
from pathlib import Path
from typing import Any

from gantrain.run.lines import read_lines


def read_records(file: Path) -> list[dict[str, Any]]:
    """The records of a metrics.jsonl, none where there is no file; what is no whole record is left out."""
    records = [record for record in read_lines(file) if isinstance(record, dict)]
    numbers = ("iteration", "images_seen", "seconds")
    records = [record for record in records if all(is_number(record.get(key)) for key in numbers)]
    return [r for r in records if isinstance(r.get("stage"), str) and isinstance(r.get("values"), dict)]


def is_number(value: Any) -> bool:
    """Whether it is a number that can be drawn and summed."""
    try:
        return isinstance(value, (int, float)) and math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False
