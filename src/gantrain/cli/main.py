"""The program `gantrain`: it runs a verb, or trains if there is no verb.

The module of a verb gives `add_options(add)`, which calls a parser's `add_argument`, and `main(args)`, which returns an
exit code or None. Its docstring is what `gantrain VERB --help` says, and ends with examples. It imports no torch: that
takes seconds, so it is imported once the words are sound, by `main` or by the module of this name in `work/`.
"""

import argparse
import importlib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gantrain.cli.options import check_run
from gantrain.cli.parser import Parser, refuse_empty
from gantrain.config.stages import LENGTHS
from gantrain.config.words import parted
from gantrain.errors import Diverged, UserError, did_you_mean, lacking
from gantrain.folders import configs_folder
from gantrain.training.distributed import follow, launched, lead, remember
from gantrain.training.quiet import quiet_libraries

VERBS = {
    "list": "list the experiments, the data they need, and whether gantrain finds it",
    "data": "show what training would see: counts, sizes, classes, copies, a picture",
    "sample": "make pictures with a trained run; with volumes also arrays and meshes",
    "interpolate": "walk between latents, as a grid, GIF or MP4",
    "styles": "mix the styles of some samples with those of others",
    "project": "find the styles that make photos, with a run that has styles",
    "edit": "move samples or projected photos along directions of styles",
    "arithmetic": "add and subtract saved latents",
    "upscale": "make pictures of any size larger",
    "translate": "turn pictures into others, with a run of pix2pix or CycleGAN",
    "inpaint": "fill holes in pictures and keep all else unchanged",
    "age": "show photos of faces in other ages, with a run of agecgan_wiki",
    "evaluate": "measure the scores of a trained run, with their protocol",
    "app": "open a page in the browser to play with a run",
    "compare": "show scores of several runs side by side, if they were measured alike",
    "tune": "search for values of keys that give a better score",
    "submit": "start a run on a SLURM cluster",
    "export": "write a run's networks for other programs: ONNX, torch.export, TorchScript",
    "push": "send a run to the Hugging Face Hub, with a model card",
    "pull": "fetch a run from the Hub",
    "features": "save what a run's discriminator sees in data, for another task",
    "nearest": "find the pictures of a folder that a run's discriminator sees as most like a photo",
    "augment": "make pictures of each class, to add to real ones when you train a classifier",
    "resume": "continue a run that was stopped, or make a finished one longer",
    "show": "show the config of an experiment, and where each value comes from",
    "doctor": "check this machine, and estimate what an experiment would take on it",
    "health": "say in words how healthy a run was, with the evidence and what to try",
    "report": "write one page with a run's pictures, curves and config",
}

# What other programs call some of them.
SAID = {
    **dict.fromkeys(("info", "view", "plot"), "report"),
    **dict.fromkeys(("generate", "gen", "infer", "predict"), "sample"),
    **dict.fromkeys(("eval", "test", "score", "fid"), "evaluate"),
    **dict.fromkeys(("search", "optimize", "optuna", "hpo"), "tune"),
    **dict.fromkeys(("continue", "restart"), "resume"),
    **dict.fromkeys(("onnx", "convert"), "export"),
    **dict.fromkeys(("upload", "share", "publish"), "push"),
    **dict.fromkeys(("download", "fetch"), "pull"),
    **dict.fromkeys(("ls", "experiments"), "list"),
}
CONFIG_DIR = ("--config-dir", "-cd")

HELP = """\
usage: gantrain [experiment=NAME] [key=value ...]     train
       gantrain VERB ...                              use what is trained

Without an experiment it trains cgan_digits, which needs no download.

train
  experiment=NAME           one of `gantrain list`
  data.root=FOLDER          where the data are
  iterations=N | epochs=N   how long (replaces the experiment's own length)
  seed=S                    another seed, another run
  trainer.accelerator=A     auto, cpu or gpu;  trainer.devices=N  processes
  trainer.precision=P       32-true, bf16-mixed or 16-mixed
  hydra.run.dir=FOLDER      where the run goes (default runs/<experiment>/<date>_<time>)
  init_from=RUN             start from another run's networks; also hf://user/name
  debug=tiny                two iterations on made-up data: does it run at all?
  -m, --multirun            every combination of key=a,b,c
  --config-dir FOLDER       your own experiments: FOLDER/experiment/NAME.yaml
  --cfg job                 print the composed config and stop

verbs
{verbs}
`gantrain VERB --help` says more.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; the exit code is 0, 1 failed, 2 wrong input, 3 unhealthy, above 128 stopped by a signal."""
    words = list(sys.argv[1:] if argv is None else argv)
    # Read when torch is loaded. Else a thread that waits for another spins: beside a busy process, which has taken the
    # other's core, two threads are then many times slower than one.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if hasattr(sys.stdout, "reconfigure"):  # what a program puts in its place may have none
        sys.stdout.reconfigure(errors="replace")  # names of files and classes may lie outside of what a terminal knows
    try:
        remember(launch := launched(os.environ))
        if launch is None or launch.processes == 1:
            return _dispatch(words)
        return follow(launch) if launch.rank else lead(launch, lambda: _dispatch(words))
    except (UserError, Diverged) as error:
        print(f"gantrain: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"gantrain: {_stopped(words)}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of a pipe has seen enough
        return 0
    except Exception as error:
        if (reason := lacking(error)) is None:
            raise
        print(f"gantrain: {reason}", file=sys.stderr)
        return UserError.exit_code


def _stopped(words: Sequence[str]) -> str:
    """What Ctrl-C has ended. One in the middle of training never comes here: it waits for the iteration's end."""
    place = _verb_at(words)
    verb = None if place is None else words[place]
    if verb in (None, "resume"):
        return "stopped while no iteration was running; checkpoints are whole"
    return f"{verb} was stopped before its end"


def _dispatch(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        from gantrain import __version__

        print(f"gantrain {__version__}")
        return 0
    asks = words[:1] == ["help"] or bool({"-h", "--help"} & set(words))
    words = [word for i, word in enumerate(words) if word not in ("-h", "--help") and (i or word != "help")]
    trains = words[:1] == ["train"]  # which needs no verb
    words = words[trains:]
    place = None if trains else _verb_at(words)
    if place is not None:
        name = words.pop(place)
        args = parsed(name, ["--help"] if asks else words)
        quiet_libraries()
        return _module_of(name).main(args) or 0
    _refuse_names(words)
    if asks:
        print(HELP.format(verbs="\n".join(f"  {name:<10} {what}" for name, what in VERBS.items())), end="")
        return 0
    from gantrain.cli.train import train

    return train(words)


def parsed(name: str, words: Sequence[str]) -> argparse.Namespace:
    """What the verb `name` makes of its words. Raises UserError for what can be seen without torch."""
    verb = _module_of(name)
    shown = argparse.RawDescriptionHelpFormatter
    parser = Parser(f"gantrain {name}", description=verb.__doc__, formatter_class=shown)
    verb.add_options(parser.add_argument)
    refuse_empty(words)
    args = parser.parse_intermixed_args(words)
    check_run(args)
    return args


def _module_of(name: str) -> Any:
    return importlib.import_module(f"gantrain.cli.{name}")


def _names(words: Sequence[str]) -> dict[int, str]:
    """The words that are neither options nor overrides, nor the folder of --config-dir, by their place."""
    pairs = enumerate(zip(["", *words], words, strict=False))
    return {i: word for i, (before, word) in pairs if re.match(r"[\w./][^=]*$", word) and before not in CONFIG_DIR}


def _verb_at(words: Sequence[str]) -> int | None:
    """Where the verb stands: first, or behind options, as in `--config-dir mine list`."""
    if words and not words[0].startswith("-"):
        return 0 if words[0] in VERBS else None
    return next((i for i, word in _names(words).items() if word in VERBS), None)


def _refuse_names(words: Sequence[str]) -> None:
    """Raise UserError for a name without its key, where none is a verb."""
    pairs = list(zip(["", *words], words, strict=False))
    mine = [word for before, word in pairs if before in CONFIG_DIR or parted(word).key in CONFIG_DIR]
    folders = [configs_folder(), *(Path(parted(word).value or word) for word in mine)]
    experiments = {file.stem for folder in folders for file in (folder / "experiment").glob("*.yaml")}
    names = _names(words)
    word = next((word for word in names.values() if word in experiments), names.get(0))
    if word in experiments:
        raise UserError(f"'{word}' is an experiment; write gantrain experiment={word}")
    if word in ("experiment", *LENGTHS, "seed"):
        raise UserError(f"'{word}' is a key; write {word}={words[1] if len(words) > 1 else 'VALUE'}")
    if word in SAID:
        raise UserError(f"'{word}' is no verb; use `gantrain {SAID[word]}`: {VERBS[SAID[word]]}")
    if word is not None:
        near = did_you_mean(word, [*VERBS, *experiments])
        end = "" if near.endswith("?") else "."
        raise UserError(f"'{word}' is no verb{near}{end} To train: gantrain experiment=NAME")
