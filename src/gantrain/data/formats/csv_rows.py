"""The rows of a CSV that lists pictures."""

import csv
from collections.abc import Iterator
from pathlib import Path

from gantrain.errors import UserError

LARGEST = 256 << 20  # bytes


def csv_rows(file: Path, columns: tuple[str, ...], key: str) -> Iterator[list[str]]:
    """The values of `columns` in each row, "" where a row is too short; the file's first line names its columns.

    Raises UserError, which begins with the config's `key`.
    """
    try:
        if file.stat().st_size > LARGEST:
            raise UserError(f"{key}: {file} has more than {LARGEST >> 20} MB; name a list of pictures")
        with file.open(newline="", encoding="utf-8-sig") as stream:
            table = csv.DictReader(stream)
            if lacking := set(columns) - set(table.fieldnames or ()):
                raise UserError(
                    f"{key}: {file} has no column '{min(lacking)}'; its first line must be {','.join(columns)}"
                )
            for row in table:
                yield [row[column] or "" for column in columns]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{key}: cannot read {file} ({error}); it must be a CSV in UTF-8") from error
