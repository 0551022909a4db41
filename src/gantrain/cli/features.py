"""`gantrain features RUN DATA --out F.npz`: save what a run's discriminator sees, for another task.

The file holds the max-pooled outputs of its layers, features (n, d), and labels (n,), names (n,), splits (n,) and
class_names, the names of all classes.

Examples:
    gantrain features RUN FOLDER --out features.npz
"""

import argparse
import re
from pathlib import Path

from gantrain.cli.options import Add, add_run
from gantrain.errors import UserError


def add_options(add: Add) -> None:
    add_run(add)
    add(
        "data",
        type=Path,
        help="data of the same kind as the run's, where data.root would be; or `own`, for the run's own",
    )
    add("--out", type=Path, required=True, help="the .npz to write")
    add("--layout", metavar="NAME", help="how DATA is laid out, one of configs/data (the run's own)")
    add("--split", choices=("train", "test"), help="only this one (both, where there is a test split)")
    add("--network", default="discriminator", help="another network of the run (discriminator)")
    add("--layers", type=numbers, help="such as 2,3,4; the first is 1 (all but the first)")
    add("--pool", type=int, help="positions that each side of a map is pooled to (volumes 2, pictures 4)")


def main(args: argparse.Namespace) -> None:
    if args.out.suffix != ".npz":
        raise UserError(f"--out: '{args.out}' must end in .npz")
    if args.pool is not None and args.pool < 1:
        raise UserError(f"--pool is {args.pool}, it must be 1 or more")
    from gantrain.cli.work.features import features  # torch, only once the words are sound

    features(args)


def numbers(text: str) -> list[int]:
    """The layers that `2,3,4` names. Raises UserError."""
    if not re.fullmatch(r"[1-9]\d{0,3}(,[1-9]\d{0,3})*", text, re.ASCII):
        raise UserError(f"--layers is '{text}', it must be such as 2,3,4; the first is 1")
    return [int(part) for part in text.split(",")]
