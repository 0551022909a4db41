"""`gantrain pull user/name FOLDER`: fetch a run from the Hugging Face Hub into a new folder for every verb.

If its checkpoints were pushed too, `gantrain resume FOLDER data.root=DATA` continues it. gantrain treats it as any
stranger's run.

Examples:
    gantrain pull user/name FOLDER
"""

import argparse
from pathlib import Path

from gantrain.cli.options import Add


def add_options(add: Add) -> None:
    add("repository", metavar="USER/NAME", help="a repository that `gantrain push` wrote")
    add("folder", type=Path, metavar="FOLDER", help="a new folder, the run's")
    add("--revision", metavar="R", help="a branch, tag or commit (the newest)")


def main(args: argparse.Namespace) -> None:
    from gantrain.run.hub import check_repository, pull

    pull(check_repository(args.repository.removeprefix("hf://")), args.revision, args.folder)
    print(args.folder)
