"""Curves of a run from metrics.jsonl, as SVG that takes its colours from the page around it."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from gantrain.run.health import Look
from gantrain.run.metrics import is_number

POINTS = 400  # of a curve, at most: more than a screen shows, and the page stays small
COLOURS = 8  # that the page defines as --curve-0 ... --curve-7
# Placeholders that matplotlib writes and `themed` replaces; black would be left out as SVG's default.
INK, CURVES = "#000100", [f"#0002{i:02x}" for i in range(COLOURS)]
TITLES = {"adv": "adversarial loss", "logits": "logits (mean)", "images_per_second": "images per second"}


@dataclass
class Curve:
    """One number over the iterations; `colour` is the number of its colour on the page."""

    name: str
    colour: int
    iterations: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


@dataclass
class Chart:
    """Curves that share a scale, and their picture."""

    title: str
    curves: list[Curve]
    svg: str


def draw_charts(records: Sequence[Mapping], tag: str) -> list[Chart]:
    """A chart for each key of a stage's records, with a curve for each player; all logits share one."""
    charts: dict[str, dict[str, Curve]] = {}
    for record in records:
        for name, value in record["values"].items():
            if not is_number(value):
                continue
            player, _, key = name.removeprefix(f"{tag}/").rpartition("/")
            kind, label = ("logits", key.replace("_", " ")) if "logit" in key else (key, player)
            curves = charts.setdefault(kind, {})
            curve = curves.setdefault(f"{player}/{key}", Curve(label, len(curves) % COLOURS))
            curve.iterations.append(record["iteration"])
            curve.values.append(value)
    order = sorted(charts, key=lambda kind: (kind != "adv", kind != "logits", kind == "images_per_second"))
    return [draw(kind, list(charts[kind].values()), salt=f"{tag}/{kind}") for kind in order]


def draw_scores(measured: Sequence[Any], tag: str) -> list[Chart]:
    """A chart for each score that was measured more than once under one protocol."""
    curves: dict[str, Curve] = {}
    for record in measured:
        for name, score in record.result.scores.items():
            if is_number(score.value):
                curve = curves.setdefault(name, Curve("", 0))
                curve.iterations.append(record.iteration)
                curve.values.append(score.value)
    return [draw(name, [curve], salt=f"{tag}/{name}") for name, curve in curves.items() if len(curve.values) > 1]


# What of health is drawn: what its rules read but losses and gradients, which have their charts.
HEALTH = (
    *(
        "separation",
        "unseen_separation",
        "real_accuracy",
        "fake_accuracy",
        "unseen_accuracy",
        "diversity",
        "duplicates",
    ),
    *("nearest", "saturated", "norm_gap", "leak", "error", "unseen_error", "step", "dead"),
)


def draw_health(looks: Sequence[Look], tag: str) -> list[Chart]:
    """A chart for each of health's measures; players, networks and sides share one."""
    chosen = [
        {
            "iteration": look.iteration,
            "values": {name: v for name, v in look.values.items() if name.rpartition("/")[2] in HEALTH},
        }
        for look in looks
    ]
    return draw_charts(chosen, f"{tag}/health" if tag else "health")


def draw(kind: str, curves: list[Curve], salt: str) -> Chart:
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt, "font.size": 10}):
        figure = Figure(figsize=(4.4, 2.5), layout="constrained")
        axes = figure.add_subplot()
        for curve in curves:
            x, y = thinned(curve)
            colour = CURVES[curve.colour]
            smooth = smoothed(y)
            if len(x) == 1:
                axes.plot(x, y, "o", color=colour, markersize=4)
            if smooth is not y:
                axes.plot(x, y, color=colour, linewidth=0.8, alpha=0.35)
            axes.plot(x, smooth, color=colour, linewidth=1.7)
        if kind == "accuracy":
            axes.axhline(0.5, color=INK, linewidth=0.8, linestyle=(0, (4, 4)), alpha=0.5)
            axes.set_ylim(-0.02, 1.02)
        if kind == "images_per_second":
            axes.set_ylim(bottom=0)
        dress(axes)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    return Chart(TITLES.get(kind, kind.replace("_", " ")), curves, themed(stream.getvalue()))


def dress(axes: matplotlib.axes.Axes) -> None:
    """Light axes: a grid behind the curves, no frame, iterations below."""
    axes.spines[:].set_visible(False)
    axes.grid(color=INK, alpha=0.14, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=INK)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.margins(x=0.02)


def thinned(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """At most `POINTS` points: means of equal numbers of neighbours."""
    x, y = np.asarray(curve.iterations, float), np.asarray(curve.values, float)
    if len(x) <= POINTS:
        return x, y
    parts = np.array_split(np.arange(len(x)), POINTS)
    return np.array([x[part].mean() for part in parts]), np.array([y[part].mean() for part in parts])


def smoothed(values: np.ndarray) -> np.ndarray:
    """The mean of a window that is a twentieth of the curve, shorter at the ends; short curves as they are."""
    reach = len(values) // 40
    if reach < 1:
        return values
    window = np.ones(2 * reach + 1)
    return np.convolve(values, window, "same") / np.convolve(np.ones_like(values), window, "same")


def themed(svg: str) -> str:
    """The drawing alone, to stand in a page with others, in the page's colours and font."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # the same in every drawing; only clips are referred to
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = svg.replace(INK, "var(--ink)")
    for i, colour in enumerate(CURVES):
        svg = svg.replace(colour, f"var(--curve-{i})")
    return svg
