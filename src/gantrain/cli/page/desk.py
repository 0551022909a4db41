"""What the page asks of a run: each question is a verb with its words, as in a terminal, within narrower bounds."""

import contextlib
import io
import itertools
import math
import re
import shlex
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image, ImageOps

from gantrain.cli.main import main
from gantrain.data.formats.decode import Unreadable, guarded, open_picture
from gantrain.errors import UserError
from gantrain.evaluation.nearest import nearest_sheet
from gantrain.inference.latents import latent_family
from gantrain.run.folder import Run
from gantrain.run.uses import program

LARGEST_UPLOAD = 20 * 2**20  # bytes
LONGEST_SIDE = 2048  # pixels of a photo: more take a CPU minutes
KEPT = 100  # answers that stay on the disk; visitors download them from there
# The least and the most of each number that the page asks for, and what it begins with.
NUMBERS = {
    "n": (1, 64, 16),
    "seed": (0, 9999, 0),
    "psi": (0.0, 1.5, 1.0),
    "truncation": (0.1, 4.0, 4.0),
    "rows": (1, 8, 4),
    "columns": (1, 8, 4),
    "steps": (2, 24, 8),
    "nearest": (1, 16, 8),
    "reach": (0.1, 3.0, 1.0),
    "shift": (-4.0, 4.0, 0.0),
    "search": (10, 500, 100),
    **dict.fromkeys(("left", "top"), (0, 99, 35)),
    **dict.fromkeys(("width", "height"), (1, 100, 30)),
}
BOX = ("left", "top", "width", "height")
MOST_TEXTS, LETTERS = 4, 300  # of a run that makes pictures of texts
NO_TRUNCATION = NUMBERS["truncation"][1]
ALL = "all in turn"  # the choice of no class
AS_DRAWN = "as drawn"  # the choice of no code


class Answer(NamedTuple):
    """The file that was made, what gives the same in a terminal where a verb does, and what else there is to say."""

    file: Path
    command: str
    said: str = ""


class Desk:
    """Answers questions about the run at `run`, one at a time, with files under `folder`.

    `options` are words that every verb gets, such as --raw. Its methods raise UserError.
    """

    def __init__(self, run: Path, folder: Path, options: Sequence[str] = (), plugins: Sequence[str] = ()):
        self.run, self.folder, self.plugins = run, folder, plugins
        self.options = [*options, *(["--plugins", ",".join(plugins)] if plugins else [])]
        self.lock, self.numbers = threading.Lock(), itertools.count()

    # ---- pictures from noise -----------------------------------------------------------------------------------------

    def samples(
        self,
        n: float,
        seed: float,
        psi: float = 1.0,
        truncation: float = NO_TRUNCATION,
        of_class: str = ALL,
        code: str = AS_DRAWN,
        text: str = "",
    ) -> Answer:
        words = [*number("n", n, "-n"), *number("seed", seed)]
        words += number("psi", psi) if psi != 1 else []
        words += number("truncation", truncation) if truncation != NO_TRUNCATION else []
        words += [f"--vary={int(code.split()[0])}"] if code != AS_DRAWN else []
        return self.drawn("sample", *words, *class_words(of_class), *text_words(text))

    def shifted(self, seed: float, numbers: str, of_class: str = ALL, **shifts: float) -> Answer:
        """One sample, with something added to some numbers of its latent; `numbers` says which, such as 8 to 15."""
        if not re.fullmatch(r"\d{1,5} to \d{1,5}", numbers, re.ASCII):
            raise UserError(f"numbers is {numbers[:20]!r}, it must be such as 8 to 15")
        first = int(numbers.split()[0])
        added = [f"{first + i}:{bounded('shift', by):g}" for i, by in enumerate(shifts.values()) if by]
        words = ["-n", "1", *number("seed", seed), *([f"--shift={','.join(added)}"] if added else [])]
        return self.drawn("sample", *words, *class_words(of_class))

    def walk(
        self,
        rows: float,
        steps: float,
        seed: float,
        space: str = "z",
        film: bool = False,
        of_class: str = ALL,
        text: str = "",
    ) -> Answer:
        words = [*number("rows", rows), *number("steps", steps), *number("seed", seed), *class_words(of_class)]
        words += text_words(text)
        words += ["--space=w"] if space == "w" else []
        return self.drawn("interpolate", *words, kind="gif" if film else "png")

    def mixture(
        self, rows: float, columns: float, first: float, last: float, psi: float, seed: float, of_class: str = ALL
    ) -> Answer:
        """Of the layers from `first` to `last`, in either order, the columns' styles are taken."""
        layers = "-".join(str(int(layer)) for layer in sorted((first, last)))
        words = [*number("rows", rows), *number("columns", columns), f"--layers={layers}", *number("seed", seed)]
        words += number("psi", psi) if psi != 1 else []
        return self.drawn("styles", *words, *class_words(of_class))

    def edits(self, rows: float, reach: float, seed: float, of_class: str = ALL) -> Answer:
        """A sample moved along the strongest directions of its styles, a row for each."""
        words = [*number("rows", rows), *number("reach", reach), *number("seed", seed)]
        return self.drawn("edit", *words, *class_words(of_class))

    def nearest(self, nearest: float, seed: float) -> Answer:
        """The first samples of a seed, and below each the training picture that is nearest to it."""
        words = [*number("nearest", nearest, "-n"), *number("seed", seed)]
        with self.lock:
            module, data = latent_family(self.run, self.plugins)
            if data.cached is None:
                data.open()
            latents = module.latents(int(nearest), torch.Generator().manual_seed(int(seed)))
            file = self._place() / named("nearest", words, "png")
            nearest_sheet(module.generate(latents, raw="--raw" in self.options), data).save(file)
        return Answer(file, "")

    def drawn(self, verb: str, *words: str, kind: str = "png") -> Answer:
        """A picture that the verb draws."""
        with self.lock:
            file = self._place() / named(verb, words, kind)
            said = self._ask(verb, *words, f"--out={file}")
        return Answer(file, self.command(verb, [*words, "--out", file.name]), said)

    # ---- a visitor's photo -------------------------------------------------------------------------------------------

    def larger(self, photo: Path | str | None) -> Answer:
        return self.changed("upscale", photo)

    def translation(self, photo: Path | str | None, to: str = "", drawn: bool = False) -> Answer:
        words = [*([f"--to={to}"] if to else []), *(["--drawn"] if drawn else [])]
        return self.changed("translate", photo, *words)

    def ages(self, photo: Path | str | None) -> Answer:
        return self.changed("age", photo)

    def style(self, photo: Path | str | None, search: float) -> Answer:
        """The photo, the picture of the style that is nearest to it, and their difference."""
        return self.changed("project", photo, *number("search", search, "--steps"))

    def hole(self, photo: Path | str | None, **box: float) -> Answer:
        """The photo with a grey box in the place of the hole that `filling` would fill."""
        left, top, width, height = box_of(checked(photo), **box)
        with self.lock, opened(photo) as stored:
            shown = ImageOps.exif_transpose(stored).convert("RGB")
            shown.paste("grey", (left, top, left + width, top + height))
            file = self._place() / "hole.png"
            shown.save(file)
        return Answer(file, "")

    def canvas(self, photo: Path | str | None) -> Path | None:
        """The photo as a visitor paints on it: upright, a PNG."""
        if photo is None:
            return None
        checked(photo)
        with self.lock, opened(photo) as stored:
            file = self._place() / "canvas.png"
            ImageOps.exif_transpose(stored).convert("RGB").save(file)
        return file

    def filling(
        self,
        photo: Path | str | None,
        mask: Path | str | None = None,
        painted: Path | str | None = None,
        **box: float,
    ) -> Answer:
        """What is made of the white pixels of `mask`, else of those `painted` on, else of a box in hundredths."""
        size = checked(photo)
        if mask is not None:
            checked(mask)
            return self.changed("inpaint", photo, f"--mask={mask}")
        with self.lock:
            file = self._place() / "mask.png"
        if painted is not None and (paint := paint_of(painted)).getbbox():
            paint.save(file)
            return self.changed("inpaint", photo, f"--mask={file}")
        return self.changed("inpaint", photo, f"--hole={','.join(map(str, box_of(size, **box)))}")

    def changed(self, verb: str, photo: Path | str | None, *words: str) -> Answer:
        """What the verb makes of a photo, as PNG."""
        checked(photo)
        with self.lock:
            place = self._place()
            stem = re.sub(r"\W+", "-", Path(photo).stem, flags=re.ASCII)[:40]
            source = place / f"{stem}.png"  # the suffix says only how the result is written
            shutil.copyfile(photo, source)
            said = self._ask(verb, *words, f"--out={place / 'made'}", str(source))
            (made,) = (place / "made").glob("*.png")
            file = made.rename(place / named(f"{stem}_{verb}", [w for w in words if not w.startswith("--mask")], "png"))
        shown = [re.sub("^--mask=.*", "--mask=MASK", word) for word in words]
        return Answer(file, self.command(verb, ["PHOTO", *shown, "--out", "FOLDER"]), said)

    # ---- the verbs ---------------------------------------------------------------------------------------------------

    def command(self, verb: str, words: Sequence[str]) -> str:
        """What to type for the same."""
        return f"{program()} {verb} {Run(self.run).quoted} {shlex.join([*words, *self.options])}"

    def _ask(self, verb: str, *words: str) -> str:
        """Run the verb; what it says beside what it makes. Raises UserError with what it says where it fails."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([verb, str(self.run), *words, *self.options])
        said = " ".join(re.findall(r"^gantrain: (.*)$", err.getvalue().replace(f"{self.folder}/", ""), re.MULTILINE))
        if code:
            raise UserError(re.sub(r"\b\d+/(?=[\w.-]+')", "", said))
        return said

    def _place(self) -> Path:
        """A new folder for an answer; of the older ones few stay."""
        count = next(self.numbers)
        shutil.rmtree(self.folder / str(count - KEPT), ignore_errors=True)
        place = self.folder / str(count)
        place.mkdir(parents=True)
        return place


def bounded(name: str, value: Any) -> float:
    """A number within its bounds. Raises UserError: a page's sliders can be gone round."""
    low, high, _ = NUMBERS[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise UserError(f"{name} is {str(value)[:20]!r}, it must be a number")
    if not low <= value <= high:
        raise UserError(f"{name} is {value:g}, it must be from {low:g} to {high:g}")
    return value


def number(name: str, value: Any, option: str = "") -> list[str]:
    """The words for an option with a number, whole where its bounds are."""
    value = bounded(name, value)
    return [option or f"--{name}", str(int(value)) if isinstance(NUMBERS[name][0], int) else f"{value:g}"]


def class_words(of_class: str) -> list[str]:
    return [] if of_class == ALL else [f"--class={of_class}"]


def text_words(text: str) -> list[str]:
    """The words for texts, one on each line. Raises UserError for too many, or too long ones."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_TEXTS or max(map(len, lines), default=0) > LETTERS:
        raise UserError(f"at most {MOST_TEXTS} texts of at most {LETTERS} letters are taken; leave some out")
    return [f"--text={line}" for line in lines]


def checked(photo: Path | str | None) -> tuple[int, int]:
    """The width and height of a photo, turned as its EXIF says. Raises UserError where it is none, or too large."""
    if photo is None:
        raise UserError("there is no photo yet; upload one first")
    if (size := Path(photo).stat().st_size) > LARGEST_UPLOAD:
        raise UserError(f"the photo has {size / 2**20:,.0f} MiB, at most {LARGEST_UPLOAD // 2**20} are taken")
    with opened(photo) as picture:
        width, height = picture.size  # as its header says; nothing is decoded yet
        if max(width, height) > LONGEST_SIDE:
            raise UserError(f"the photo has {width}x{height} pixels, at most {LONGEST_SIDE:,} a side are taken")
        return ImageOps.exif_transpose(picture).size


@contextlib.contextmanager
def opened(photo: Path | str) -> Iterator[Image.Image]:
    try:
        with guarded(), open_picture(Path(photo)) as picture:
            yield picture
    except Unreadable as error:
        raise UserError(f"the photo cannot be used: {error}; upload a PNG, JPEG, WebP, BMP or GIF") from error


def paint_of(layer: Path | str) -> Image.Image:
    """A layer that a visitor has painted, as a mask: white where there is paint. Raises UserError."""
    checked(layer)
    with opened(layer) as picture:
        return picture.convert("RGBA").getchannel("A").point(lambda alpha: 255 if alpha else 0)


def box_of(size: tuple[int, int], **box: float) -> tuple[int, int, int, int]:
    """The left, top, width and height in pixels of a box in hundredths of a photo: at least one, and all inside."""
    left, top, width, height = (bounded(name, box[name]) / 100 for name in BOX)
    x, y = int(left * size[0]), int(top * size[1])
    return x, y, max(1, min(round(width * size[0]), size[0] - x)), max(1, min(round(height * size[1]), size[1] - y))


def named(verb: str, words: Sequence[str], kind: str) -> str:
    """A file name that says how it was made, such as sample_n-16_seed-7.png."""
    said = re.sub(r"[^\w.]+", "-", re.sub(r"(?:^| )--?", "_", " ".join(words)), flags=re.ASCII)
    return f"{verb}{said[:100]}.{kind}"


def choices_of(names: Sequence[str] | None, classes: int | None) -> Iterator[str]:
    """What a visitor may choose of a run's classes: names where it has learnt some, else numbers."""
    return iter(names or map(str, range(classes or 0)))
