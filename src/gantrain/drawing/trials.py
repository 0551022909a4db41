"""The picture of a search: its scores over time, and over each key that it tried."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.ticker as ticker
from matplotlib.figure import Figure

COLUMNS = 3
GREY, BLUE, RED = "#9a9a9a", "#3b6fb6", "#c0392b"


def draw_trials(rows: Sequence[Mapping[str, Any]], keys: Sequence[str], score: str) -> Figure:
    """`rows` hold `trial`, `score`, `outcome` and a value for each of `keys`; a pruned trial is a cross."""
    keys = [key for key in keys if any(row.get(key) is not None for row in rows)]
    count = len(keys) + 1
    lines = -(-count // COLUMNS)
    figure = Figure(figsize=(4.2 * min(count, COLUMNS), 3.2 * lines), layout="constrained")
    places = figure.subplots(lines, min(count, COLUMNS), squeeze=False).ravel()
    measured = sorted((row for row in rows if row["score"] is not None), key=lambda row: int(row["trial"]))
    best = rows[0] if rows and rows[0]["outcome"] == "done" else None
    for place, key in zip(places, ["trial", *keys], strict=False):
        for outcome, mark, colour in (("done", "o", BLUE), ("pruned", "x", GREY)):
            some = [row for row in measured if row["outcome"] == outcome and row.get(key) is not None]
            place.scatter(
                [at(row[key]) for row in some], [row["score"] for row in some], marker=mark, c=colour, label=outcome
            )
        if best is not None and best.get(key) is not None:
            place.scatter([at(best[key])], [best["score"]], marker="*", s=140, c=RED, label="best", zorder=3)
        place.set_xlabel(key.removeprefix("models.players."), fontsize=8)
        values = [at(row[key]) for row in measured if row.get(key) is not None]
        if values and all(isinstance(value, int) for value in values):
            place.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
        elif values and all(isinstance(value, float) for value in values) and 0 < 10 * min(values) < max(values):
            place.set_xscale("log")
            plain_powers(place.xaxis)
        scores = [row["score"] for row in measured]
        if scores and 0 < 10 * min(scores) < max(scores):
            place.set_yscale("log")
            plain_powers(place.yaxis)
        place.tick_params(labelsize=8)
        place.grid(alpha=0.25)
    for place in places[:count:COLUMNS]:
        place.set_ylabel(score, fontsize=9)
    for place in places[count:]:
        place.set_visible(False)
    places[0].legend(fontsize=8)
    return figure


def plain_powers(axis: Any) -> None:
    """Plain numbers on an axis of powers of ten."""
    axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    axis.set_minor_locator(ticker.NullLocator())


def at(value: Any) -> Any:
    """Where a value stands on an axis: choices by their names."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
