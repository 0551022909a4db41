"""`gantrain resume RUN [key=value ...]`: continue a run with its own config.

Examples:
    gantrain resume RUN
    gantrain resume RUN iterations=20000
"""

import argparse
from pathlib import Path
from typing import Any

from gantrain.cli.options import Add
from gantrain.config.checks import check, check_plugins
from gantrain.config.stages import LENGTHS
from gantrain.errors import UserError
from gantrain.run.folder import Run
from gantrain.training.distributed import place
from gantrain.training.quiet import quiet_libraries


def add_options(add: Add) -> None:
    add("run", type=Path, help="the run's directory")
    changes = (
        "a length, trainer.*, data.root, data.cache_dir, data.batch_size, rates and schedules of players, logger.*"
    )
    add("overrides", nargs="*", metavar="key=value", help=changes)


def main(args: argparse.Namespace) -> int:
    config, changes = changed(args)
    place(config["trainer"], list(changes))
    from gantrain.training.console import print_end  # torch and Lightning, only once the words are sound
    from gantrain.training.fit import resume
    from gantrain.training.loading import trust

    quiet_libraries()
    trust(config, changes.get("plugins", []))
    outcome = resume(args.run, config, list(changes), overrides=args.overrides)
    print_end(outcome)
    return outcome.exit_code


def changed(args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """The run's config with what is to change in it, and the changes by key. Raises UserError."""
    from gantrain.config.changes import apply, read  # Hydra, only for a run that is one

    config = Run.open(args.run).config()
    changes = dict(read(word) for word in args.overrides)
    if changes.keys() >= set(LENGTHS):
        raise UserError("iterations and epochs are both given; give one")
    for key, value in changes.items():
        if key == "plugins":
            check_plugins(value)
        else:
            apply(config, key, value)
    check(config)
    return config, changes
