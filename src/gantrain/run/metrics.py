"""What a run has recorded: the lines of metrics.jsonl that are whole."""

import math
from pathlib import Path
from typing import Any

from gantrain.run.lines import read_lines


def read_records(file: Path) -> list[dict[str, Any]]:
    """The records of a metrics.jsonl, none where there is no file; what is no whole record is left out."""
    return [record for record in read_lines(file) if is_whole(record)]


def is_whole(record: Any) -> bool:
    if not isinstance(record, dict) or not isinstance(record.get("values"), dict):
        return False
    numbers = all(is_number(record.get(key)) for key in ("iteration", "images_seen", "seconds"))
    return numbers and isinstance(record.get("stage"), str)


def is_number(value: Any) -> bool:
    """Whether it is a number that can be drawn and summed."""
    try:
        return isinstance(value, (int, float)) and math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False
