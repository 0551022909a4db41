"""`report.html`: what a person would look at after a run, in one file that needs nothing else."""

import base64
import io
import shlex
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from gantrain import __version__
from gantrain.config.stages import Stage, stages_of
from gantrain.config.techniques import techniques
from gantrain.drawing.pictures import animate, open_png, spread
from gantrain.drawing.text import clock, pace
from gantrain.files import replacing
from gantrain.models.schedules import ends
from gantrain.parallel import processes_of
from gantrain.report.curves import draw_charts, draw_health, draw_scores
from gantrain.report.scores import meaning, own_first
from gantrain.run.folder import ATTENTION_FILE, NEAREST_FILE, REAL_FILE, REPORT_FILE, TURNING_FILE, Run, frames
from gantrain.run.health import Look, is_look, read_looks
from gantrain.run.health import changes as changes_of
from gantrain.run.metrics import is_number, read_records
from gantrain.run.provenance import read_costs, read_starts
from gantrain.run.scores import Record, newest_scores, read_scores
from gantrain.run.uses import code_of, commands_of, program, uses_of

GRIDS = 8  # shown of the samples over time
FRAMES = 24  # of the animation
MOMENTS = 24  # of health's timeline
LARGE, SMALL = 1280, 420  # the longer side of the latest grid and of the others, at most
PNG_BYTES = 400_000  # a grid as it is, or a smaller copy


@dataclass
class Picture:
    """A grid of samples as the page holds it."""

    iteration: int
    url: str
    width: int
    height: int


@dataclass
class Moment:
    """A change of health's verdict, with the samples of that moment."""

    look: Look
    picture: Picture | None


class Chapter:
    """One stage: how far it came, its pictures and its curves."""

    def __init__(self, run: Run, stage: Stage, records: Sequence[Mapping], measured: Sequence[Record]):
        records = [r for r in records if r["stage"] == stage.name and not is_look(r)]
        measured = [r for r in measured if r.stage == stage.name]
        samples = run.samples(stage.tag)
        files = [file for file in frames(samples) if is_whole(file)]
        ended, uses = run.finished(stage.name), uses_of(stage)
        self.tag = stage.tag
        self.done = run.reached(stage.name)
        self.unit = "iterations" if stage.config.get("iterations") else "epochs"  # of its length
        self.length = stage.config.get(self.unit) or 0
        self.finished = ended is not None and self.done >= (self.length if self.unit == "iterations" else ended)
        self.latest = picture(files[-1], LARGE) if files else None
        self.grids = [picture(file, SMALL) for file in spread(files, GRIDS)]
        self.animation = animation(files) if len(files) > 1 else None
        self.inputs = "The same latents" if "sample" in uses.verbs else "The same inputs"  # of all its grids
        # What stands side by side in them, where a grid does not say so itself.
        self.columns = f"; side by side: {uses.columns}" if uses.columns else ""
        self.turning = url_of(samples / TURNING_FILE, "GIF")  # from all around, where samples can be turned
        self.attention = url_of(samples / ATTENTION_FILE, "PNG")  # where it looks, where networks have some
        self.real, self.nearest = (bounded_url(samples / name) for name in (REAL_FILE, NEAREST_FILE))
        self.scores = own_first(newest_scores(measured), stage.config.get("evaluation"))
        self.costs = described_costs(read_costs(run.folder, stage.name))
        self.charts = [*draw_charts(records, stage.tag), *draw_scores(measured, stage.tag)]
        looks = read_looks(run.metrics_file, stage.name)
        self.moments = moments(looks, run.health(stage.tag))
        self.looked = looks[-1] if looks else None
        self.unmeasured = next((look.missing for look in looks if look.missing), ())
        self.health_charts = draw_health(looks, stage.tag)


def write_report(run: Run, config: Mapping[str, Any], file: Path) -> None:
    """Write the page of `run`, which has this config, to `file`. Raises UserError and OSError."""
    page = render(run, config)
    with replacing(file) as temporary:
        temporary.write_text(page, encoding="utf-8", errors="replace")  # of file names that are no text


def report_at_end(run: Run, config: Mapping[str, Any]) -> None:
    """Write the page of a run that has just ended; a full disk must not turn a trained run into a failed one."""
    try:
        write_report(run, config, run.folder / REPORT_FILE)
    except OSError as error:
        reason = error.strerror or error
        print(f"warning: no {REPORT_FILE} ({reason}); `gantrain report {run.quoted}` writes it later", file=sys.stderr)


def render(run: Run, config: Mapping[str, Any]) -> str:
    """The page as text."""
    stages = stages_of(config)
    records = read_records(run.metrics_file)
    measured = read_scores(run.folder)
    chapters = [Chapter(run, stage, records, measured) for stage in stages]
    pages = Environment(
        loader=PackageLoader("gantrain", "report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return pages.get_template("page.html").render(
        title=str(config.get("name") or run.folder.absolute().name),
        finished=all(c.finished for c in chapters),
        facts=facts(stages[-1].config, chapters, records) | changes(run),
        chapters=chapters,
        starts=read_starts(run.folder),
        meaning=meaning,
        commands=commands(run, chapters, stages[-1]),
        config=yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
        drawing=Markup,  # matplotlib's output: nothing but numbers and our own labels
        folder=run.folder,
        written=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        version=__version__,
    )


# ---- pictures --------------------------------------------------------------------------------------------------------


def is_whole(file: Path, kind: str = "PNG") -> bool:
    """Whether a picture can be shown: a kill may have cut off the last one, and a stranger's may be anything."""
    try:
        with Image.open(file, formats=(kind,)) as image:
            image.verify()
    except (OSError, SyntaxError, Image.DecompressionBombError):  # a SyntaxError is Pillow's word for a broken PNG
        return False
    return True


def picture(file: Path, side: int) -> Picture:
    """A grid for the page."""
    return Picture(int(file.stem), *bounded(file, side))


def bounded(file: Path, side: int) -> tuple[str, int, int]:
    """A PNG as it is where it is small, else a copy whose longer side is at most `side`; its width and height."""
    with open_png(file) as image:
        if max(image.size) <= side and file.stat().st_size <= PNG_BYTES:
            return data_url(file.read_bytes(), "png"), *image.size
        image.thumbnail((side, side))
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=90)
        return data_url(stream.getvalue(), "jpeg"), *image.size


def bounded_url(file: Path) -> str | None:
    """A PNG for the page, where there is one."""
    return bounded(file, LARGE)[0] if is_whole(file) else None


def animation(files: Sequence[Path]) -> str:
    """The grids one after the other as a GIF: few and small enough for a page, and there also for a killed run."""
    stream = io.BytesIO()
    animate(files, stream, FRAMES, SMALL)
    return data_url(stream.getvalue(), "gif")


def moments(looks: Sequence[Look], folder: Path) -> list[Moment]:
    """The changes of health's verdict, oldest first."""
    files = {int(file.stem): file for file in frames(folder) if is_whole(file)}
    shown = [(look, files.get(look.iteration)) for look in spread(changes_of(looks), MOMENTS)]
    return [Moment(look, None if file is None else picture(file, SMALL)) for look, file in shown]


def url_of(file: Path, kind: str) -> str | None:
    """A picture as it is, where there is one."""
    return data_url(file.read_bytes(), kind.lower()) if is_whole(file, kind) else None


def data_url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


# ---- what is said ----------------------------------------------------------------------------------------------------


def facts(config: Mapping, chapters: Sequence[Chapter], records: Sequence[Mapping]) -> dict[str, str]:
    trainer = config["trainer"]
    told = {"data": describe_data(config["data"])}
    for part in chapters:
        ended = "finished" if part.finished else f"of {part.length:,} {part.unit}"
        told[f"{part.tag} length".strip()] = f"{part.done:,} iterations, {ended}"
    if records:
        seen = {r["stage"]: r["images_seen"] for r in records}
        told["images seen"] = f"{sum(seen.values()):,}"
        told["training time"] = clock(training_seconds(records))
    if speeds := [speed for r in records if is_number(speed := r["values"].get("images_per_second"))]:
        told["speed"] = f"{pace(statistics.median(speeds), 1)} (median)"
    processes = f", {count} processes" if (count := processes_of(trainer)) > 1 else ""
    if on := techniques(config):
        told["techniques"] = on
    told["precision"] = f"{trainer['precision']}{processes}"
    told["seed"] = str(config.get("seed"))
    return told


def changes(run: Run) -> dict[str, str]:
    """What was changed in the middle of the run, whose bits are then another run's."""
    if not run.changes_file.is_file():
        return {}
    return {"changed": "; ".join(run.changes_file.read_text(encoding="utf-8", errors="replace").splitlines())}


def described_costs(costs: Mapping[str, Mapping[str, float]]) -> str:
    """The seconds of each part and the memory of a stage in words; empty where nothing is known."""
    seconds = sorted(costs["seconds"].items(), key=lambda part: -part[1])
    told = [f"{part} {spent:,.1f} s" for part, spent in seconds if spent >= 0.05]
    memory = [f"{megabytes:,.0f} MB of the {kind}" for kind, megabytes in costs["memory"].items()]
    return "; ".join(filter(None, [", ".join(told), memory and f"at most {' and '.join(memory)}"]))


def describe_data(data: Mapping[str, Any]) -> str:
    dataset = data.get("dataset")
    stated = dataset if isinstance(dataset, Mapping) else {}
    name = stated.get("name") or str(stated.get("_target_", "data")).rpartition(".")[2]
    sides = (data.get("channels") or data["size"], data["size"], data["size"])  # volumes state no channels
    return f"{name}, {'x'.join(map(str, sides))}, batches of {data['batch_size']}"


def training_seconds(records: Sequence[Mapping]) -> float:
    """The time of all stages; a stage's clock goes on where it is resumed."""
    stages = dict.fromkeys(record["stage"] for record in records)
    return sum(max(record["seconds"] for record in records if record["stage"] == stage) for stage in stages)


def commands(run: Run, chapters: Sequence[Chapter], stage: Stage) -> dict[str, str]:
    """What to type to go on, ready to be copied."""
    word, last, uses = run.quoted, chapters[-1], uses_of(stage)
    told, gantrain = {}, program()
    option, again = code_of(stage.config)
    if not all(c.finished for c in chapters):
        told["Go on where it stopped"] = f"{gantrain} resume {word}{again}"
    double = 2 * (last.length if last.unit == "iterations" else last.done)
    if all(double <= end for end in ends(stage.config["models"]).values()):  # else its rates fall to 0 before
        length = shlex.quote(f"{stage.key(last.unit)}={2 * last.length}")
        told["Train twice as long"] = f"{gantrain} resume {word} {length}{again}"
    if stage.config.get("evaluation") or uses.usual_evaluation:
        told["Measure scores"] = f"{gantrain} evaluate {word}{option}"
    if run.has_events:
        told["Curves, networks and pictures in TensorBoard"] = f"{program('tensorboard')} --logdir {word}"
    return {
        **told,
        **commands_of(stage, word, option),
        "Write this page anew": f"{gantrain} report {word}",
    }
