"""`gantrain report RUN`: write one page that needs no other file. The run may still train, or may have been killed.

Examples:
    gantrain report RUN
"""

import argparse
from pathlib import Path

from gantrain.cli.options import Add, writing
from gantrain.run.folder import REPORT_FILE, Run


def add_options(add: Add) -> None:
    add("run", type=Path, help="the run's directory")
    add("--out", type=Path, help=f"the file to write (RUN/{REPORT_FILE})")


def main(args: argparse.Namespace) -> None:
    run = Run.open(args.run)
    config, out = run.config(), args.out or args.run / REPORT_FILE
    from gantrain.report.page import write_report  # torch, only once the run's config is sound

    with writing("--out", out):
        write_report(run, config, out)
    print(out)
