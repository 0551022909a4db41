"""Pictures and facts of runs for docs/gallery.md: `python scripts/make_gallery.py RUNS... --machine TEXT`.

Of each run the newest grid of samples goes to docs/images/gallery/EXPERIMENT.png, with 100 kB at most. Its entry on the
page stands between two marks, and is written anew each time; all that stands outside of the marks stays as it is. The
command is found by composing the experiment and looking at what the run's own config has in other places.

A grid may show pictures of the data. Name only runs whose data you may show.
"""

import argparse
import io
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from PIL import Image

from gantrain.config.compose import composed
from gantrain.config.header import Header, read_header
from gantrain.config.overrides import groups
from gantrain.config.paths import place_of
from gantrain.config.stages import LENGTHS, stages_of
from gantrain.drawing.pictures import open_png
from gantrain.drawing.sheets import GAP, PAPER
from gantrain.drawing.text import clock
from gantrain.errors import UserError
from gantrain.folders import configs_folder
from gantrain.report.page import describe_data, training_seconds
from gantrain.run.folder import Run, frames
from gantrain.run.health import is_look
from gantrain.run.metrics import read_records
from gantrain.run.scores import Score, newest_scores, read_scores
from gantrain.run.uses import uses_of

DOCS = Path(__file__).parents[1] / "docs"
LARGEST = 100_000  # bytes of one picture
MOST = 6_000_000  # bytes of all
LONGEST_SIDE = 960  # pixels
WATCHING = ("callbacks", "logger", "evaluation", "name", "plugins")  # keys that change nothing of what is trained
PLACEHOLDERS = {"folder": "FOLDER", "file": "FILE"}
SHOWN = ("fd", "fid", "sure", "classes", "class_accuracy", "coverage", "psnr", "ssim", "mmd", "occupancy", "iou")
TOLD = ("backbone", "judge", "split", "real", "samples", "networks", "seed")  # of a protocol, where it has them
STRIP = ("cgan_mnist", "dcgan_folder", "srresnet_photos", "gan3d_furniture")  # the README's, where all four are there
STRIP_HEIGHT = 220  # pixels


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of trained runs, one for each experiment")
    parser.add_argument("--machine", required=True, help="what trained them, such as 'one thread of a 2-core machine'")
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder with gallery.md (docs of this repository)")
    args = parser.parse_args()
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
    picture = docs / "images" / "gallery" / f"{name}.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    with open_png(newest_grid(run, config)) as image:
        picture.write_bytes(compressed(image))
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
    """The page with the entry between the marks of its name.

    A new one comes after the last entry, the first one after `<!-- entries -->`.
    """
    first, last = f"<!-- made: {name} -->", f"<!-- end: {name} -->"
    block = f"{first}\n\n{entry}\n\n{last}"
    if first not in page:
        places = [found.end() for found in re.finditer(r"<!-- (entries|end: \w+) -->", page)]
        place = places[-1] if places else len(page.rstrip())
        return f"{page[:place]}\n\n{block}\n{page[place:].removeprefix(chr(10))}"
    before, _, rest = page.partition(first)
    _, found, after = rest.partition(last)
    if not found:
        raise UserError(f"gallery.md: '{first}' has no '{last}' after it; put it back below the entry")
    return before + block + after


# ---- pictures --------------------------------------------------------------------------------------------------------


def newest_grid(run: Run, config: Mapping[str, Any]) -> Path:
    """The last grid of the last stage that has any."""
    for stage in reversed(stages_of(config)):
        if files := frames(run.samples(stage.tag)):
            return files[-1]
    raise UserError(f"{run.folder} has no grid of samples; train it with callbacks.samples")


def compressed(image: Image.Image) -> bytes:
    """A PNG of at most `LARGEST` bytes: exact where it is small enough, else in 256 colours, else also smaller."""
    image = image.convert("L" if image.mode == "L" else "RGB")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    tries = [image]
    while min(tries[-1].size) > 64:
        tries.append(tries[-1].resize([side * 7 // 8 for side in tries[-1].size], Image.Resampling.LANCZOS))
    for smaller in tries:
        for version in (smaller, smaller.quantize(256)):
            stream = io.BytesIO()
            version.save(stream, "PNG", optimize=True)
            if stream.tell() <= LARGEST:
                return stream.getvalue()
    raise UserError(f"a picture of {image.width}x{image.height} does not fit into {LARGEST:,} bytes")


def write_strip(images: Path) -> None:
    """The pictures of `STRIP` side by side, of each its left top, as images/strip.png."""
    files = [images / "gallery" / f"{name}.png" for name in STRIP]
    if not all(file.is_file() for file in files):
        return
    parts = []
    for file in files:
        with open_png(file) as image:
            part = image.convert("RGB").crop((0, 0, min(image.width, 2 * image.height), min(image.size)))
        parts.append(part.resize((round(part.width * STRIP_HEIGHT / part.height), STRIP_HEIGHT)))
    strip = Image.new("RGB", (sum(part.width + GAP for part in parts) - GAP, STRIP_HEIGHT), PAPER)
    left = 0
    for part in parts:
        strip.paste(part, (left, 0))
        left += part.width + GAP
    (images / "strip.png").write_bytes(compressed(strip))


def refuse_too_large(folder: Path) -> None:
    total = sum(file.stat().st_size for file in folder.glob("*.png"))
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
    if columns := uses_of(last).columns:
        yield f"- Side by side: {columns}"
    yield from scores(run)


def scores(run: Run) -> Iterator[str]:
    records = newest_scores(read_scores(run.folder))
    if not records:
        yield "- Score: none was measured"
    for record in records:
        result = record.result
        names = [name for name in result.scores if name.startswith(SHOWN)] or list(result.scores)
        told = "; ".join(f"{name} {value}, {better(value)}" for name in names for value in [result.scores[name]])
        protocol = ", ".join(f"{key} {result.protocol[key]}" for key in TOLD if key in result.protocol)
        yield f"- Scores after {record.iteration:,} iterations: {told}. Protocol: {protocol}"


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
