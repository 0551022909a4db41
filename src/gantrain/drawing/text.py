"""Durations and tables as a console shows them."""

from collections.abc import Mapping, Sequence


def clock(seconds: float) -> str:
    """Seconds as 0:42, 12:05 or 1:02:03."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def place(stage: str, iteration: int, length: int) -> str:
    """How far training is, as `gan 1,200/5,000`; a run's only stage has no name."""
    return f"{stage} {iteration:,}/{length:,}".lstrip()


def pace(count: float, seconds: float, iterations: float = 0) -> str:
    """Images per second, or where that is under one the seconds that an iteration, or an image, takes."""
    if count >= seconds or not count:
        return f"{count / max(seconds, 1e-9):,.0f} images/s"
    return f"{seconds / iterations:,.1f} s/iteration" if iterations else f"{seconds / count:,.1f} s/image"


def aligned(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Rows of equal or different columns as lines of a table, with a head."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
