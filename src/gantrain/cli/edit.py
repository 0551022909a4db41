"""`gantrain edit RUN`: move a sample or a projected photo along directions of styles, one row for each direction.

Without options it takes the directions that change the layers' styles most (SeFa, Shen and Zhou 2021). This needs no
data. With --labels it takes one direction towards each class of the run's data: a classifier reads the classes of
samples, and a linear classifier is fitted on their styles. With --direction it reads a file that --save has written.

Examples:
    gantrain edit RUN --rows 6 --save d.safetensors
    gantrain edit RUN --direction d.safetensors:0,3 --styles D/anna.safetensors
    gantrain edit RUN --labels
"""

import argparse
from pathlib import Path

from gantrain.cli.options import Add, add_class, add_run, add_seed, png_of
from gantrain.errors import UserError


def add_options(add: Add) -> None:
    add_run(add, best=True)
    add("--labels", action="store_true", help="directions towards the classes of the run's data")
    add("--direction", metavar="FILE", help="saved directions, FILE or FILE:0,3,5")
    add("--save", type=Path, metavar="FILE", help="write the directions as well, as .safetensors")
    add("--rows", type=int, help="how many directions are found without labels, the strongest first (6)")
    add("--steps", type=int, default=7, help="pictures in a row; of an odd number the middle is unmoved (7)")
    add("--reach", type=float, default=1.0, metavar="R", help="how far: 1 is how far styles lie from their mean (1)")
    add("--layers", metavar="A-B", help="move the styles of these layers alone, such as 0-3 or 2,4-5 (all)")
    add("--styles", metavar="FILE", help="the style of a projected photo, FILE or FILE:3, in the place of a sample")
    add_seed(add, "the same seed, the same sample (0)")
    add_class(add, "of a conditional run, by number or name (0)")
    add("--out", type=Path, help="a .png (RUN/edit.png)")


def main(args: argparse.Namespace) -> None:
    out = png_of(args, "edit.png")
    check(args)
    from gantrain.cli.work.edit import edit  # torch, only once the words are sound

    edit(args, out)


def check(args: argparse.Namespace) -> None:
    """Raise UserError for what can be seen before the run is opened."""
    if args.labels and args.direction:
        raise UserError("--labels and --direction: directions are found or come from a file; leave one out")
    if args.rows is not None and (args.labels or args.direction):
        given = "--labels" if args.labels else "--direction"
        raise UserError(f"--rows and {given}: --rows is for directions that are found without labels; leave one out")
    if args.rows is not None and args.rows < 1:
        raise UserError(f"--rows is {args.rows}, it must be 1 or more")
    if args.steps < 2:
        raise UserError(f"--steps is {args.steps}, it must be 2 or more")
    if not 0 < args.reach < 1000:
        raise UserError(f"--reach is {args.reach:g}, it must be above 0 and below 1,000, such as 1.5")
    if args.styles and args.of_class is not None:
        raise UserError("--styles and --class: a style has its class already; leave --class out")
