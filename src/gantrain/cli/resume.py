"""`gantrain resume RUN [key=value ...]`: continue a run with its own config."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from gantrain.config.changes import apply, read
from gantrain.config.checks import check, check_plugins
from gantrain.config.stages import LENGTHS
from gantrain.errors import UserError
from gantrain.networks.torchscript import trust_backbone
from gantrain.run.folder import Run
from gantrain.training.quiet import quiet_libraries


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("gantrain resume", description="Continue a run with its own config.")
    parser.add_argument("run", type=Path, help="the run's directory")
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="a new length, trainer.*, data.root, data.cache_dir, logger.*"
    )
    args = parser.parse_args(words)
    quiet_libraries()
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
            if key == "evaluation.backbone":
                trust_backbone(value)
    check(config)
    from gantrain.training.console import print_end
    from gantrain.training.fit import resume
    from gantrain.training.loading import trust

    trust(config, plugins)
    outcome = resume(run.folder, config)
    print_end(outcome)
    return outcome.exit_code
