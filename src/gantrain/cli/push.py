"""`gantrain push RUN user/name`: send a run to the Hugging Face Hub: weights, config, scores, samples, model card.

`gantrain.load("hf://user/name")` and `init_from=hf://user/name` read it there, and `gantrain pull` fetches it. The
token is that of `hf auth login`, or $HF_TOKEN. The names of this machine's folders are not sent with the config.

Examples:
    gantrain push RUN user/name --license cc-by-4.0
    gantrain push RUN user/name --checkpoints --private
"""

import argparse
import re
from pathlib import Path

from gantrain.cli.options import Add
from gantrain.errors import UserError

LICENSE = re.compile(r"[a-z0-9][a-z0-9.-]{0,40}", re.ASCII)


def add_options(add: Add) -> None:
    add("run", type=Path, help="the run's directory")
    add("repository", metavar="USER/NAME", help="where it goes; it is made where it is missing")
    add("--license", metavar="ID", help="of the weights, as the Hub names it: mit, cc-by-4.0, other, ...")
    add("--checkpoints", action="store_true", help="also what `gantrain resume` needs, several times as large")
    add("--private", action="store_true", help="a repository that is made is yours alone")


def main(args: argparse.Namespace) -> None:
    from gantrain.report.card import card_of
    from gantrain.run.folder import Run
    from gantrain.run.hub import check_repository, push

    check_repository(args.repository)
    if args.license is not None and not LICENSE.fullmatch(args.license):
        raise UserError(f"--license is {args.license!r}, it must be one of the Hub's names, such as mit or cc-by-4.0")
    run = Run.open(args.run)
    card = card_of(run, args.repository, args.license, args.checkpoints)
    print(push(run, args.repository, card, args.checkpoints, args.private))
