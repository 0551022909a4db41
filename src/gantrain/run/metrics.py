"""What a run has recorded: the lines of metrics.jsonl that are whole."""

import json
import math
from pathlib import Path
from typing import Any


def read_records(file: Path) -> list[dict[str, Any]]:
    """The records of a metrics.jsonl, none where there is no file; what is no whole record is left out.

    A kill may have cut off the last line, and a stranger's file may hold anything.
    """
    if not file.is_file():
        return []
    records = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if is_whole(record):
            records.append(record)
    return records


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
