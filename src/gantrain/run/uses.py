"""What a trained run is for, as the classes of its family and its data say: nothing is built for that."""

import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gantrain.config.build import locate
from gantrain.config.stages import Stage
from gantrain.errors import UserError


class Verb(NamedTuple):
    """What `gantrain VERB RUN WORDS` gives, as the report says it."""

    gives: str
    words: str


# The verbs that are told of at a run's end and in its report.
TOLD = {
    "age": Verb("Show faces in other ages", "PHOTOS --out FOLDER"),
    "upscale": Verb("Make pictures larger", "PICTURES --out FOLDER"),
    "translate": Verb("Translate pictures", "PICTURES --out FOLDER"),
    "inpaint": Verb("Fill holes in pictures", "PICTURE --mask MASK --out FOLDER"),
    "styles": Verb("Mix styles", "--rows 6 --columns 6"),
    "project": Verb("Find the styles of photos", "PHOTOS --out FOLDER"),
    "edit": Verb("Move along directions of styles", "--rows 6"),
    "sample": Verb("Draw new samples", "-n 64 --seed 1"),
}


OF_TEXTS = Verb("Make pictures of a text", "--text 'TEXT' -n 8")  # to sample, of a run that makes pictures of texts
THE_CLASS = 3  # that is told of as an example, or the last of fewer


class Uses(NamedTuple):
    """Of a stage: what `gantrain VERB` can do with it, its evaluation where it names none, and what its grids show."""

    verbs: tuple[str, ...]
    usual_evaluation: str | None
    columns: str


def uses_of(stage: Stage) -> Uses:
    """What the stage's family and data say; nothing of classes that are not found, or not trusted here."""
    family = _class_of(stage.config["models"], "models")
    data = _class_of({"_target_": "gantrain.data.GANDataModule", **stage.config["data"]}, "data")
    verbs = {verb: None for owner in (family, data) for verb in getattr(owner, "verbs", ())}
    evaluations = [getattr(owner, "usual_evaluation", None) for owner in (data, family)]
    return Uses(tuple(verbs), next(filter(None, evaluations), None), getattr(data, "columns", ""))


def takes_texts(stage: Stage) -> bool:
    """Whether the stage's family makes samples of texts."""
    return getattr(_class_of(stage.config["models"], "models"), "takes_texts", False)


def a_class(stage: Stage) -> str | None:
    """The words by which `gantrain sample` makes one of the stage's classes; None where it has learnt none."""
    classes = stage.config["models"].get("classes")
    if not classes or "sample" not in uses_of(stage).verbs:
        return None
    names = stage.config["data"].get("class_names") or range(classes)
    return f"--class {shlex.quote(str(names[min(THE_CLASS, classes - 1)]))}"


def commands_of(stage: Stage, run: str, code: str = "") -> dict[str, str]:
    """What to type to use a run, which the shell knows as `run`, by what it gives; `code` is of `code_of`."""
    verbs = uses_of(stage).verbs
    told = {verb: use for verb, use in TOLD.items() if verb in verbs}
    told |= {"sample": OF_TEXTS} if takes_texts(stage) else {}
    commands = {use.gives: f"{program()} {verb} {run} {use.words}{code}" for verb, use in told.items()}
    if of_class := a_class(stage):
        commands["Draw new samples of one class"] = f"{program()} sample {run} {of_class}{code}"
    return commands


def code_of(config: Mapping[str, Any]) -> tuple[str, str]:
    """How a command names the modules of a run's user again: to a verb, and to resume; empty where there are none."""
    if not (plugins := ",".join(config.get("plugins") or [])):
        return "", ""
    return f" --plugins {shlex.quote(plugins)}", f" {shlex.quote(f'plugins=[{plugins}]')}"


def program(name: str = "gantrain") -> str:
    """What the shell that started this program takes for it, or for another that was installed beside it.

    Started by its path, as `make demo` does, it may lie where no shell looks.
    """
    typed = Path(sys.orig_argv[1] if len(sys.orig_argv) > 1 else "")
    beside, found = typed.with_name(name) if typed.name == "gantrain" else Path(name), shutil.which(name)
    if not beside.is_file() or (found is not None and beside.samefile(found)):
        return name
    return shlex.quote(str(beside))


def _class_of(node: Mapping[str, Any], key: str) -> type | None:
    try:
        return locate(node.get("_target_"), key)
    except UserError:
        return None
