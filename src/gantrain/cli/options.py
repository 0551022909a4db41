"""Options that several verbs share, and the readers of their values."""

import contextlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gantrain.checks import LARGEST_SEED
from gantrain.errors import UserError, did_you_mean

if TYPE_CHECKING:  # verbs that only look at a run's records do without torch
    from torch import Tensor

Add = Callable[..., Any]  # the `add_argument` of a parser

LARGEST_PSI = 100  # no generator makes pictures of styles that lie so far out


def add_run(add: Add, help: str = "the run's directory", best: bool = False) -> None:
    """The run, and which of its weights: `--raw`, `--best` where a verb takes it, `--plugins A,B` for its code."""
    add("run", type=Path, help=help)
    add("--raw", action="store_true", help="the last weights instead of their average (EMA)")
    if best:
        add("--best", action="store_true", help="the checkpoint with the best score, not the last")
    add(
        "--plugins",
        type=lambda text: text.split(","),
        default=[],
        metavar="A,B",
        help="modules of your own and TorchScript files that the run names; they are code that runs",
    )


def png_of(args: Any, name: str) -> Path:
    """Where the one picture of a verb goes: `--out`, else RUN/`name`. Raises UserError for another kind of file."""
    out = args.out or args.run / name
    if out.suffix.lower() != ".png":
        raise UserError(f"--out: '{out}' must end in .png")
    return out


def add_seed(add: Add, help: str, default: int | None = 0) -> None:
    """`--seed N`: 0 or more, as far as torch's generators take them."""
    add("--seed", type=_seed, default=default, metavar="N", help=help)


def _seed(text: str) -> int:
    if not re.fullmatch(r"\d{1,19}", text, re.ASCII) or int(text) > LARGEST_SEED:
        raise UserError(f"--seed is {text!r}, it must be a whole number from 0 to {LARGEST_SEED}")
    return int(text)


def add_psi(add: Add, help: str) -> None:
    """`--psi A,B`: how far styles keep from their mean; [1.0] where it is not there. `--psi-cutoff N`: of N layers."""
    add("--psi", type=_psi, default=[1.0], metavar="PSI", help=help)
    add("--psi-cutoff", type=int, metavar="N", help="--psi moves the styles of the first, coarsest N layers only (all)")


def _psi(text: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = [math.nan]
    if not all(abs(value) <= LARGEST_PSI for value in values):  # nor nan
        raise UserError(
            f"--psi is {text!r}, it must be a number such as 0.7, or several: 1,.7,.5,0; from -{LARGEST_PSI} to "
            f"{LARGEST_PSI}"
        )
    return values


def check_cutoff(args: Any, module: Any) -> None:
    """Raise UserError for a `--psi-cutoff` that moves nothing, or more layers than there are."""
    if args.psi_cutoff is None:
        return
    if args.psi == [1.0]:
        raise UserError("--psi-cutoff: it says how many layers --psi moves; give --psi as well, such as 0.7")
    if not 1 <= args.psi_cutoff <= module.layers:
        raise UserError(
            f"--psi-cutoff is {args.psi_cutoff}, it must be 1 to {module.layers}, the layers of this run's generator"
        )


def add_class(add: Add, help: str) -> None:
    """`--class NAME`: one of a conditional run's classes, by its number or its name; see `classes_of`."""
    add("--class", dest="of_class", metavar="CLASS", help=help)


def classes_of(word: str | None, turns: "Tensor", module: Any, data: Any) -> "Tensor | None":
    """The class of each sample: what `word` says, else all in turn by the numbers `turns`; None of a run without."""
    if word is not None:
        return turns.new_full(turns.shape, class_of(word, module.classes, data.class_names))
    return turns % module.classes if module.classes else None


def check_run(args: Any) -> None:
    """Raise UserError where a verb's run is none, or has no such class, as far as its config says: without torch."""
    if "run" not in args:
        return
    from gantrain.config.stages import stages_of  # YAML, which `list` does without
    from gantrain.run.folder import Run

    run = Run.open(args.run)
    if getattr(args, "of_class", None) is None:
        return
    first, *others = (stage.config for stage in stages_of(run.config()))
    if not others and (classes := first["models"].get("classes")):
        class_of(args.of_class, classes, first["data"].get("class_names"))


def class_of(word: str, classes: int | None, class_names: Sequence[str] | None) -> int:
    """The number of the class that `word` says by its name, where the run has learnt some, or else by its number.

    Raises UserError where there is none.
    """
    if not classes:
        raise UserError("--class: this run's samples are of no class; leave it out")
    names = list(class_names or ())
    if word in names:
        return names.index(word)
    numbers = bool(names) and all(re.fullmatch(r"[0-9]+", name) for name in names)  # a number would be ambiguous
    if re.fullmatch(r"[0-9]+", word) and not numbers:
        number = int(word) if len(word) < 10 else classes
        if number < classes:
            return number
        raise UserError(f"--class is {word}, this run has the classes 0 to {classes - 1}")
    there = ", ".join(names) if numbers else f"0 to {classes - 1}"
    near = (not numbers and did_you_mean(word, names)) or f"; there are {there}"
    raise UserError(f"--class: there is no class '{word}'{near}")


def add_text(add: Add) -> None:
    """The texts of a run that makes pictures of texts; `asked_of` reads them."""
    add("--text", action="append", default=[], metavar="TEXT", help="of a run of texts: what is to be seen; several")
    add("--text-file", type=Path, metavar="FILE", help="of a run of texts: one a line")
    add(
        "--embedding",
        type=Path,
        metavar="FILE",
        help="of a run of texts: computed embeddings (.npy, .npz, .safetensors)",
    )


def refuse_texts(args: Any) -> None:
    """Raise UserError where texts are given for a run that takes none."""
    for option in ("text", "text_file", "embedding"):
        if getattr(args, option):
            raise UserError(f"--{option.replace('_', '-')}: this run's samples are not made of texts; leave it out")


def add_pictures(add: Add) -> None:
    """The run, the pictures and where they go."""
    add_run(add, best=True)
    add("inputs", type=Path, nargs="+", metavar="IN", help="a picture, or a folder of them")
    add("--out", type=Path, required=True, metavar="DIR", help="where they go, under their names")
    add("--force", action="store_true", help="replace what is there")


@contextlib.contextmanager
def writing(option: str, file: Path) -> Iterator[None]:
    """Make the folder of the file that `option` names, and write there. Raises UserError where that is impossible."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        place = Path(error.filename or file)
        if file.name not in place.name and place not in file.parents and file not in place.parents:
            raise UserError(f"{place}: {error.strerror}") from error  # it was to be read
        raise UserError(f"{option}: cannot write {file} ({error.strerror or error}); name another place") from error
