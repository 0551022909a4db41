"""`gantrain resume RUN [key=value ...]`: continue a run with its own config."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from gantrain.config.changes import apply, read
from gantrain.config.checks import check
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
    lengths = [word.partition("=")[0] for word in args.overrides if word.partition("=")[0] in LENGTHS]
    if len(set(lengths)) == 2:
        raise UserError("iterations and epochs are both given; give one")
    plugins: list[str] = []
    for override in args.overrides:
        if override.startswith("plugins="):
            plugins = read(override)[1]
        else:
            apply(config, override)
            if override.startswith("evaluation.backbone="):
                trust_backbone(config["evaluation"]["backbone"])
    check(config)
    from gantrain.training.console import print_end
    from gantrain.training.fit import resume
    from gantrain.training.loading import trust

    trust(config, plugins)
    outcome = resume(run.folder, config)
    print_end(outcome)
    return 128 + outcome.signum if outcome.signum else 0
