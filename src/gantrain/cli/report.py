"""`gantrain report RUN`: the page of a run, also of one that still trains or was killed."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from gantrain.cli.options import writing
from gantrain.report.page import NAME, write_report
from gantrain.run.folder import Run


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("gantrain report", description="One page to look at, which needs nothing else.")
    parser.add_argument("run", type=Path, help="the run's directory")
    parser.add_argument("--out", type=Path, help=f"the file to write (RUN/{NAME})")
    args = parser.parse_args(words)
    run = Run.open(args.run)
    config, out = run.config(), args.out or args.run / NAME
    with writing("--out", out):
        write_report(run, config, out)
    print(out)
    return 0
