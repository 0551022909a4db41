"""`gantrain nearest RUN PHOTO FOLDER`: find the pictures of FOLDER that are most like PHOTO.

The first row compares by what the run's discriminator has learnt to see, the second row by pixels. Features are the
outputs of all layers of the discriminator but the first, max-pooled to 2x2 positions and divided by their deviations
over FOLDER. Pixels are compared by their root mean square difference. PHOTO itself is left out.

Examples:
    gantrain nearest RUN photo.jpg FOLDER
    gantrain nearest RUN photo.jpg FOLDER -n 5 --out nearest.png
"""

import argparse
from pathlib import Path

from gantrain.cli.options import Add, add_run, png_of
from gantrain.errors import UserError

MOST = 100  # in a row of the sheet


def add_options(add: Add) -> None:
    add_run(add)
    add("photo", type=Path, help="the picture that others are compared with")
    add("folder", type=Path, help="where they lie: pictures, or data of the run's own kind")
    add("-n", type=int, default=8, help="how many in each row (8)")
    add("--out", type=Path, help="a .png (RUN/nearest.png)")


def main(args: argparse.Namespace) -> None:
    out = png_of(args, "nearest.png")
    if not 1 <= args.n <= MOST:
        raise UserError(f"-n is {args.n}, it must be from 1 to {MOST}")
    from gantrain.cli.work.nearest import nearest  # torch, only once the words are sound

    nearest(args, out)
