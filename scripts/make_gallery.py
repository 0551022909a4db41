"""Pictures and facts of runs for docs/gallery.md: `python scripts/make_gallery.py RUNS... --machine TEXT`.

Of each run one picture goes to docs/images/gallery, with 100 kB at most: the newest grid of samples, or for a run that
enlarges photos parts of its held-out photos. Its entry on the page stands between two marks, and is written anew each
time; all that stands outside of the marks stays as it is. The command is found by composing the experiment and looking
where the run's own config differs.

A picture may show the data. Name only runs whose data you may show.
"""

import argparse
import io
import itertools
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from PIL import Image
from torch import Tensor

from gantrain.config.compose import composed
from gantrain.config.header import Header, read_header
from gantrain.config.overrides import groups
from gantrain.config.paths import place_of
from gantrain.config.stages import LENGTHS, stages_of
from gantrain.data.low_high import larger, smaller
from gantrain.drawing.close_ups import busiest
from gantrain.drawing.pictures import grid, open_png, to_pil
from gantrain.drawing.sheets import GAP
from gantrain.drawing.text import clock
from gantrain.errors import UserError
from gantrain.folders import configs_folder
from gantrain.report.page import describe_data, training_seconds
from gantrain.run.folder import Run, frames
from gantrain.run.health import is_look
from gantrain.run.metrics import read_records
from gantrain.run.scores import Score, newest_scores, read_scores
from gantrain.run.uses import uses_of
from gantrain.training.loading import load_trained

DOCS = Path(__file__).parents[1] / "docs"
LARGEST = 100_000  # bytes of one picture
MOST = 6_000_000  # bytes of all
LONGEST_SIDE = 960  # pixels
PHOTOS = 3  # of a run that enlarges them
DETAIL = 192  # pixels of a side of what is shown of them
WATCHING = ("callbacks", "logger", "evaluation", "name", "plugins")  # keys that change nothing of what is trained
PLACEHOLDERS = {"folder": "FOLDER", "file": "FILE"}
SHOWN = ("fd", "fid", "sure", "classes", "class_accuracy", "coverage", "psnr", "ssim", "mmd", "occupancy", "iou")
TOLD = (
    "backbone",
    "judge",
    "split",
    "real",
    "pictures",
    "samples",
    "networks",
    "seed",
)  # of a protocol, where it has them
STRIP = {  # the README's, where all four are there: the part of each picture, as shares of its width and height
    "mnist_fast": (0.0, 0.0, 0.6, 1.0),
    "folder_fast": (0.0, 0.375, 0.5, 0.875),
    "srresnet_photos": (0.0, 1 / 3, 0.75, 2 / 3),
    "gan3d_furniture": (0.4, 0.0, 1.0, 0.6),
}
STRIP_HEIGHT = 200  # pixels
PAGE = "#ffffff"  # between the parts of the strip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of trained runs, one for each experiment")
    parser.add_argument("--machine", required=True, help="what trained them, such as 'one thread of a 2-core machine'")
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder with gallery.md (docs of this repository)")
    args = parser.parse_args()
    if not args.machine.strip():
        parser.error("--machine is empty; say what trained the runs")
    try:
        for run in map(Run.open, args.runs):
            print(add(run, args.machine, args.docs))
        write_strip(args.docs / "images")
        refuse_too_large(args.docs / "images" / "gallery")
    except UserError as error:
        print(f"make_gallery: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def add(run: Run, machine: str, docs: Path) -> Path:
    """Write the picture and the entry of one run; the picture's file."""
    config = run.config()
    name = config.get("name")
    if not experiment_file(name).is_file():
        raise UserError(f"{run.folder}: there is no experiment '{name}' here; leave this run out")
    data, suffix = compressed(drawn(run, config))
    picture = docs / "images" / "gallery" / f"{name}{suffix}"
    picture.parent.mkdir(parents=True, exist_ok=True)
    for other in pictures_of(picture.parent, name):
        other.unlink()
    picture.write_bytes(data)
    page = docs / "gallery.md"
    lines = [f"![What {name} made]({picture.relative_to(docs).as_posix()})", "", *facts(run, config, machine)]
    text = "\n".join([f"### `{name}`", "", header_of(name).description, "", *lines])
    page.write_text(with_entry(page.read_text(encoding="utf-8"), name, text), encoding="utf-8")
    return picture


def experiment_file(name: str) -> Path:
    return configs_folder() / "experiment" / f"{name}.yaml"


def header_of(name: str) -> Header:
    return read_header(experiment_file(name))


def with_entry(page: str, name: str, entry: str) -> str:
    """The page with the entry between the marks of its name; a new one comes before `<!-- next entry -->`, or last."""
    first, last = f"<!-- made: {name} -->", f"<!-- end: {name} -->"
    block = f"{first}\n\n{entry}\n\n{last}"
    if first not in page:
        before, mark, after = page.partition("<!-- next entry -->")
        return f"{before.rstrip()}\n\n{block}\n" + (f"\n{mark}{after}" if mark else "")
    before, _, rest = page.partition(first)
    _, found, after = rest.partition(last)
    if not found:
        raise UserError(f"gallery.md: '{first}' has no '{last}' after it; put it back below the entry")
    return before + block + after


# ---- pictures --------------------------------------------------------------------------------------------------------


def drawn(run: Run, config: Mapping[str, Any]) -> Image.Image:
    """What the run is for."""
    *_, last = stages = stages_of(config)
    if "upscale" in uses_of(last).verbs and (sheet := enlarged_photos(run)) is not None:
        return to_pil(sheet)
    for stage in reversed(stages):
        if files := frames(run.samples(stage.tag)):
            with open_png(files[-1]) as image:
                return image.convert("L" if image.mode == "L" else "RGB")
    raise UserError(f"{run.folder} has no grid of samples; train it with callbacks.samples")


def enlarged_photos(run: Run) -> Tensor | None:
    """Of held-out photos a part where much varies: small, bicubic, ours, truth. None where none is held out."""
    trained = load_trained(run.folder)
    data = trained.data.open()
    if not data.holdout:
        return None
    network, cells = trained.network("generator", raw=False), []
    for _, photo in itertools.islice(data.held_out().wholes(), PHOTOS):
        side = min(DETAIL, *photo.shape[1:]) // data.scale * data.scale
        top, left = busiest(photo, side)
        truth = photo[None, :, top : top + side, left : left + side]
        low = smaller(truth, data.scale)
        with torch.no_grad():
            made = network(data.to_range(low).to(next(network.parameters()).device)).cpu()
        blocks = low.repeat_interleave(data.scale, 2).repeat_interleave(data.scale, 3)
        cells.append(grid(torch.cat([blocks, larger(low, data.scale), data.pictures(made), truth]), 4))
    return torch.cat(cells, 1)


def compressed(image: Image.Image) -> tuple[bytes, str]:
    """A picture of at most `LARGEST` bytes, and its suffix: exact where it is small enough, else a JPEG."""
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    if len(data := encoded(image, "PNG", optimize=True)) <= LARGEST:
        return data, ".png"
    for quality in (90, 80, 65, 50, 30):
        if len(data := encoded(image, "JPEG", quality=quality, optimize=True)) <= LARGEST:
            return data, ".jpg"
    raise UserError(f"a picture of {image.width}x{image.height} does not fit into {LARGEST:,} bytes")


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pictures_of(folder: Path, name: str) -> list[Path]:
    return [file for suffix in (".png", ".jpg") if (file := folder / f"{name}{suffix}").is_file()]


def write_strip(images: Path) -> None:
    """Parts of the pictures of `STRIP` side by side as images/strip.png, in 256 colours, where all are there."""
    files = [file for name in STRIP for file in pictures_of(images / "gallery", name)]
    if len(files) < len(STRIP):
        return
    parts = []
    for file, shares in zip(files, STRIP.values(), strict=True):
        with Image.open(file, formats=("PNG", "JPEG")) as image:
            sides = 2 * image.size
            part = image.convert("RGB").crop([round(a * side) for a, side in zip(shares, sides, strict=True)])
        parts.append(part.resize((round(part.width * STRIP_HEIGHT / part.height), STRIP_HEIGHT)))
    strip = Image.new("RGB", (sum(part.width + GAP for part in parts) - GAP, STRIP_HEIGHT), PAGE)
    left = 0
    for part in parts:
        strip.paste(part, (left, 0))
        left += part.width + GAP
    while len(data := encoded(strip.quantize(256), "PNG", optimize=True)) > LARGEST:
        strip = strip.resize([side * 9 // 10 for side in strip.size], Image.Resampling.LANCZOS)
    (images / "strip.png").write_bytes(data)


def refuse_too_large(folder: Path) -> None:
    total = sum(file.stat().st_size for file in folder.glob("*.*"))
    if total > MOST:
        raise UserError(f"{folder}: its pictures have {total:,} bytes, at most {MOST:,} may be; remove some")


# ---- facts -----------------------------------------------------------------------------------------------------------


def facts(run: Run, config: Mapping[str, Any], machine: str) -> Iterator[str]:
    """The command, then what the picture is of, in lines of Markdown."""
    *_, last = stages = stages_of(config)
    yield from ("```sh", f"gantrain {shlex.join(command(config))}", "```", "")
    records = [record for record in read_records(run.metrics_file) if not is_look(record)]
    lengths = []
    for stage in stages:
        if seen := [record for record in records if record["stage"] == stage.name]:
            done, images = seen[-1]["iteration"], seen[-1]["images_seen"]
            planned = stage.config.get("iterations")
            stopped = f" of {planned:,}" if planned and done < planned else ""
            lengths.append(f"{stage.tag} {done:,}{stopped} iterations, {images:,} images".strip())
    yield f"- Length: {'; '.join(lengths)}"
    yield f"- Training time: {clock(training_seconds(records))}, {machine}"
    yield f"- Data: {describe_data(last.config['data'])}"
    yield f"- Seed: {config['seed']}"
    uses = uses_of(last)
    if columns := "small, bicubic, ours, truth" if "upscale" in uses.verbs else uses.columns:
        yield f"- Side by side: {columns}"
    yield from scores(run, len(stages) > 1)


def scores(run: Run, several: bool) -> Iterator[str]:
    """A line for each protocol, with its stage where there are `several`."""
    records = newest_scores(read_scores(run.folder))
    if not records:
        yield "- Score: none was measured"
    for record in records:
        result = record.result
        names = [name for name in result.scores if name.startswith(SHOWN)] or list(result.scores)
        told = "; ".join(f"{name} {value}, {better(value)}" for name in names for value in [result.scores[name]])
        protocol = ", ".join(f"{key} {result.protocol[key]}" for key in TOLD if result.protocol.get(key) is not None)
        stage = f" of {record.stage}" if several else ""
        yield f"- Scores{stage} after {record.iteration:,} iterations: {told}. Protocol: {protocol}"


def better(score: Score) -> str:
    return "near 1 is better" if score.better == "near 1" else f"{score.better} is better"


def command(config: Mapping[str, Any]) -> list[str]:
    """The words after `gantrain` that compose this config. Raises UserError where none are found.

    Each word is the one that leaves the fewest differences; in the end those go that others imply.
    """
    words = [f"experiment={config['name']}"]
    differing = differences(config, words)
    while differing:
        found = [
            (left, word)
            for word in candidates(config, differing)
            if (left := tried(config, [*words, word])) is not None
        ]
        left, word = min(found, key=lambda one: len(one[0]), default=(differing, ""))
        if len(left) >= len(differing):
            raise UserError(f"{words[0]}: no command was found that gives {next(iter(differing))} as the run has it")
        words, differing = [*words, word], left
    for word in words[1:]:
        rest = [other for other in words if other != word]
        if tried(config, rest) == {}:
            words = rest
    return words


def candidates(config: Mapping[str, Any], differing: Mapping[str, Any]) -> Iterator[str]:
    """Words that may undo the first difference: configs that say it as the run has it, then the key alone."""
    key, value = next(iter(differing.items()))
    ours = {of_root(path): held for path, held in leaves(config)}
    for group in sorted(groups() - {"experiment", *WATCHING}):
        place = group.replace("/", ".") + "."
        for file in sorted((configs_folder() / group).glob("*.yaml")) if of_root(key).startswith(place) else ():
            stated = OmegaConf.to_container(OmegaConf.load(file))
            said = {path: held for path, held in leaves(stated, place) if "${" not in str(held)}
            if of_root(key) in said and all(ours.get(path) == held for path, held in said.items() if path in ours):
                yield f"{group}={file.stem}"
    if key != of_root(key):
        yield f"{of_root(key)}={written(value)}"
    yield f"{key}={written(value)}"


def of_root(key: str) -> str:
    """A key of a stage as the root has it, which all stages take."""
    return key.split(".", 2)[2] if key.startswith("stages.") else key


def tried(config: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any] | None:
    """The differences that these words leave; None where they compose nothing."""
    try:
        return differences(config, words)
    except UserError:
        return None


def differences(config: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """The keys that a run states otherwise than `words` compose, with its values.

    A key that the run does not have is newer than the run.
    """
    theirs = dict(leaves(composed(words, None)))
    named = "needs" in header_of(config["name"]).facts  # else the data come with a package, whatever the folder
    return {
        key: value
        for key, value in leaves(config)
        if theirs.get(key) != value
        and key.partition(".")[0] not in WATCHING
        and (named or of_root(key) != "data.root")
        and not (value is None and key.rpartition(".")[2] in LENGTHS)
    }


def leaves(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its path; for the path of a folder or file a word that stands for it."""
    for key, value in node.items():
        path = f"{prefix}{key}"
        place = place_of(path)
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{path}.")
        elif path.endswith("data.cache_dir") or (place and value is None):
            continue
        else:
            yield path, PLACEHOLDERS.get(place.kind, value) if place else value


def written(value: Any) -> str:
    """A value in the grammar of the command line."""
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(written, value))}]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = str(value)
    return text if not isinstance(value, str) or re.fullmatch(r"[\w./-]+", text) else f"'{text}'"


if __name__ == "__main__":
    sys.exit(main())
