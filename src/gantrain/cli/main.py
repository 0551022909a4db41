"""The program `gantrain`: verbs, and training where there is none.

The module of a verb gives `add_options(add)`, which calls a parser's `add_argument`, and `main(args)`, which returns an
exit code or None. Its docstring is what `gantrain VERB --help` says.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from gantrain.errors import Diverged, UserError, did_you_mean, lacking
from gantrain.training.quiet import quiet_libraries

VERBS = {
    "list": "the experiments, the data they need and whether it is found",
    "data": "what training would see: counts, sizes, classes, copies, a picture",
    "sample": "pictures from a trained run; of volumes also arrays and meshes",
    "interpolate": "a walk between latents, as a grid, GIF or MP4",
    "arithmetic": "sums and differences of saved latents",
    "upscale": "pictures of any size made larger",
    "translate": "pictures turned into others, by a run of pix2pix or CycleGAN",
    "age": "photos of faces in other ages, from a run of agecgan_wiki",
    "evaluate": "scores of a trained run, with their protocol",
    "compare": "scores of several runs side by side, where they were measured alike",
    "features": "what a run's discriminator sees in data, for another task",
    "resume": "continue a run that was stopped, or prolong a finished one",
    "report": "one page with a run's pictures, curves and config",
}

HELP = """\
usage: gantrain [experiment=NAME] [key=value ...]     train
       gantrain VERB ...                              use what is trained

Without an experiment it trains dcgan_digits, which needs no download.

train
  experiment=NAME           one of `gantrain list`
  data.root=FOLDER          where the data are
  iterations=N | epochs=N   how long (replaces the experiment's own length)
  seed=S                    another seed, another run
  trainer.accelerator=A     auto, cpu or gpu;  trainer.devices=N  processes
  trainer.precision=P       32-true, bf16-mixed or 16-mixed
  hydra.run.dir=FOLDER      where the run goes (default runs/<experiment>/<date>_<time>)
  init_from=RUN             start from another run's networks
  debug=tiny                two iterations on made-up data: does it run at all?
  -m, --multirun            every combination of key=a,b,c
  --config-dir FOLDER       your own experiments: FOLDER/experiment/NAME.yaml
  --cfg job                 print the composed config and stop

verbs
{verbs}
`gantrain VERB --help` says more.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code: 0, 1 failed, 2 wrong input, above 128 stopped by a signal."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(words)
    except (UserError, Diverged) as error:
        print(f"gantrain: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("gantrain: stopped before training began; nothing is lost", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of a pipe has seen enough
        return 0
    except Exception as error:
        if (reason := lacking(error)) is None:
            raise
        print(f"gantrain: {reason}", file=sys.stderr)
        return UserError.exit_code


def _dispatch(words: list[str]) -> int:
    if words and words[0] in ("-h", "--help", "help"):
        print(HELP.format(verbs="\n".join(f"  {name:<10} {what}" for name, what in VERBS.items())), end="")
        return 0
    if words and words[0] == "--version":
        from gantrain import __version__

        print(f"gantrain {__version__}")
        return 0
    if words and words[0] in VERBS:
        verb = importlib.import_module(f"gantrain.cli.{words[0]}")
        parser = argparse.ArgumentParser(f"gantrain {words[0]}", description=verb.__doc__)
        verb.add_options(parser.add_argument)
        args = parser.parse_intermixed_args(words[1:])
        quiet_libraries()
        return verb.main(args) or 0
    if words and not words[0].startswith("-") and "=" not in words[0] and not words[0].startswith(("~", "+")):
        raise UserError(f"'{words[0]}' is no verb{did_you_mean(words[0], VERBS)}. To train: gantrain experiment=NAME")
    from gantrain.cli.train import train

    return train(words)
