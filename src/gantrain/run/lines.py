"""Files that hold a record in each line as JSON."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gantrain.errors import UserError
from gantrain.files import replacing
from gantrain.run.plain import bounded_json

LARGEST = 1 << 30  # bytes; of a record a few hundred, and there may be a million


def read_lines(file: Path) -> list[Any]:
    """What each line holds, none where there is no file; None in the place of a line that is no JSON.

    A kill may have cut off the last line, and a stranger's file may hold anything.
    """
    if not file.is_file():
        return []
    if file.stat().st_size > LARGEST:
        raise UserError(f"{file} has more than {LARGEST >> 20} MB; move it away")
    return [_read(line) for line in file.read_text(encoding="utf-8", errors="replace").splitlines()]


def _read(line: str) -> Any:
    try:
        return bounded_json(line)
    except ValueError:
        return None


def write_lines(file: Path, records: Iterable[Any]) -> None:
    """Put the records in the place of what the file holds."""
    with replacing(file) as temporary:
        temporary.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
