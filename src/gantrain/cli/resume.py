"""`gantrain resume RUN [key=value ...]`: continue a run with its own config.

Examples:
    gantrain resume RUN
    gantrain resume RUN iterations=20000
"""

import argparse
from pathlib import Path

from gantrain.cli.options import Add
from gantrain.config.changes import apply, read
from gantrain.config.checks import check, check_plugins
from gantrain.config.stages import LENGTHS
from gantrain.errors import UserError
from gantrain.run.folder import Run
from gantrain.training.console import print_end
from gantrain.training.distributed import place
from gantrain.training.fit import resume
from gantrain.training.loading import trust


def add_options(add: Add) -> None:
    add("run", type=Path, help="the run's directory")
    changes = (
        "a length, trainer.*, data.root, data.cache_dir, data.batch_size, rates and schedules of players, logger.*"
    )
    add("overrides", nargs="*", metavar="key=value", help=changes)


def main(args: argparse.Namespace) -> int:
    run = Run.open(args.run)
    config = run.config()
    changes = [read(word) for word in args.overrides]
    if {key for key, _ in changes} >= set(LENGTHS):
        raise UserError("iterations and epochs are both given; give one")
    plugins: list[str] = []
    for key, value in changes:
        if key == "plugins":
            check_plugins(value)
            plugins = value
        else:
            apply(config, key, value)
    check(config)
    place(config["trainer"], [key for key, _ in changes])
    trust(config, plugins)
    outcome = resume(run.folder, config, [key for key, _ in changes], overrides=args.overrides)
    print_end(outcome)
    return outcome.exit_code
