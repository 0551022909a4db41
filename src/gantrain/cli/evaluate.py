"""`gantrain evaluate RUN`: measure the scores of a trained run, and note their protocol.

Examples:
    gantrain evaluate RUN
    gantrain evaluate RUN --samples 10000 --backbone tf --json scores.json
"""

import argparse
from pathlib import Path

from gantrain.cli.options import Add, add_run, add_seed


def add_options(add: Add) -> None:
    add_run(add, best=True)
    add("overrides", nargs="*", metavar="key=value", help="evaluation.*, data.root")
    add("--samples", type=int, help="generated pictures (the run's own number, or 1,000)")
    add("--backbone", help="dataset, tf, random, a classifier of torchvision, a TorchScript file")
    add("--weights", metavar="FILE", help="the backbone's weights, where they cannot be downloaded")
    add_seed(add, "of what is drawn (0)", default=None)
    add("--json", type=Path, metavar="FILE", help="write scores and protocol there as well")


def main(args: argparse.Namespace) -> None:
    from gantrain.cli.work.evaluate import evaluate  # torch, only once the words are sound

    evaluate(args)
