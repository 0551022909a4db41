"""`gantrain sample RUN`: make pictures with a trained run, as a grid or as single files.

Examples:
    gantrain sample RUN -n 64 --seed 0 --out grid.png
    gantrain sample RUN -n 1000 --out FOLDER
    gantrain sample RUN --text "a small red square" --text "a large blue circle" -n 8
"""

import argparse
import re
from pathlib import Path

from gantrain.cli.options import Add, add_class, add_psi, add_run, add_seed, add_text
from gantrain.errors import UserError

IN_ROW = 8  # samples for each of several psi


def add_options(add: Add) -> None:
    add_run(add, best=True)
    add("-n", type=int, help=f"how many (64; of all classes whole rows; {IN_ROW} with several --psi, and of each text)")
    add_seed(add, "the same seed, the same pictures (0)")
    add("--out", type=Path, help="a .png for a grid, a folder for single files (RUN/samples.png)")
    add("--force", action="store_true", help="replace the samples that the folder holds")
    add("--format", default="png", help="of single files: png; of volumes also npy, mat, obj, stl, ply")
    add("--truncation", type=float, metavar="T", help="latents within T deviations: fewer oddities, less variety")
    add(
        "--shift",
        type=shift_of,
        metavar="K:D,...",
        help="add D to number K of each latent, the first is 0: 0:1.5,3:-2 (as they are drawn)",
    )
    add_psi(add, "of a run with styles: moved towards their mean, 1 as they are, 0 all alike; 1,.7,0 is a row for each")
    add(
        "--vary",
        type=int,
        metavar="CODE",
        help="of an InfoGAN: each latent with all values of a code in its row; 0 is the categorical one",
    )
    add("--save-latents", type=Path, metavar="FILE", help="write their latents as well, for interpolate and arithmetic")
    add_class(add, "of a conditional run only this one, by number or name (all in turn)")
    add_text(add)


def main(args: argparse.Namespace) -> None:
    if args.n is not None and args.n < 1:
        raise UserError(f"-n is {args.n}, it must be 1 or more")
    if args.truncation is not None and not args.truncation > 0:
        raise UserError(f"--truncation is {args.truncation}, it must be above 0, such as 0.7")
    if args.truncation is not None and args.psi != [1.0]:
        raise UserError("--psi and --truncation: one moves styles, the other cuts latents; leave one out")
    from gantrain.cli.work.sample import sample  # torch, only once the words are sound

    sample(args)


def shift_of(text: str) -> dict[int, float]:
    """What is added to which numbers of the latents, as `0:1.5,3:-2` says it. Raises UserError."""
    if not re.fullmatch(r"\d{1,6}:-?\d{1,3}(\.\d{1,6})?(,\d{1,6}:-?\d{1,3}(\.\d{1,6})?)*", text, re.ASCII):
        raise UserError(f"--shift is '{text}', it must be numbers of latents and what is added to each: 0:1.5,3:-2")
    return {int(number): float(added) for number, added in (part.split(":") for part in text.split(","))}
