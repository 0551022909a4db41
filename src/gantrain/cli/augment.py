"""`gantrain augment RUN FOLDER --per-class N --out D`: make pictures with labels, to train a classifier.

D becomes a folder of classes, D/<class>/generated_<number>.png. FOLDER holds the real pictures that you want to add to.
Its classes must be those of the run. The command changes and copies nothing in it; name both folders where you train.
With --confidence it fits a small classifier on FOLDER, and keeps only the pictures of which this is as sure.
If it was stopped, the same command goes on with the class at which it stopped.

Examples:
    gantrain augment RUN FOLDER --per-class 500 --out MADE
    gantrain augment RUN FOLDER --per-class 500 --confidence 0.9 --out MADE
"""

import argparse
from pathlib import Path

from gantrain.cli.options import Add, add_run, add_seed
from gantrain.errors import UserError

UNFINISHED = ".unfinished.json"  # in the folder until all classes are there


def add_options(add: Add) -> None:
    add_run(add, best=True)
    add("folder", type=Path, metavar="FOLDER", help="the real pictures, in a folder for each class")
    add("--per-class", type=int, required=True, metavar="N", help="how many pictures of each class")
    add("--out", type=Path, required=True, metavar="D", help="a new folder, or that of the same command, stopped")
    add("--confidence", type=float, metavar="P", help="take those alone that a classifier is at least so sure of: 0.9")
    add_seed(add, "the same seed, the same pictures (0)")


def main(args: argparse.Namespace) -> int:
    if args.per_class < 1:
        raise UserError(f"--per-class is {args.per_class}, it must be 1 or more")
    if args.confidence is not None and not 0 < args.confidence < 1:
        raise UserError(f"--confidence is {args.confidence}, it must lie between 0 and 1, such as 0.9")
    refuse_mixing(args.folder, args.out)
    from gantrain.cli.work.augment import augment  # torch, only once the words are sound

    return augment(args)


def refuse_mixing(folder: Path, out: Path) -> None:
    """Raise UserError where generated pictures would lie among real ones, or among others that are there."""
    ours, theirs = out.resolve(), folder.resolve()
    if ours.is_relative_to(theirs) or theirs.is_relative_to(ours):
        raise UserError(f"--out: {out} and {folder} lie in each other; name a folder apart, real pictures stay alone")
    if out.exists() and not out.is_dir():
        raise UserError(f"--out: {out} is a file, not a folder; name another")
    if out.is_dir() and any(out.iterdir()) and not (out / UNFINISHED).is_file():
        raise UserError(f"--out: {out} holds files already; name a new folder")
