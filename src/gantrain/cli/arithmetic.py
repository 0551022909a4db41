"""`gantrain arithmetic RUN --plus A --minus B --plus C`: add mean latents, as in Radford et al. 2016, 6.3.2.

Examples:
    gantrain sample RUN --save-latents z.safetensors
    gantrain arithmetic RUN --plus z.safetensors:0,4,9 --minus z.safetensors:1,2,7 --plus z.safetensors:3,5,8
"""

import argparse
from pathlib import Path

from gantrain.cli.options import Add, add_class, add_run, add_seed, png_of
from gantrain.errors import UserError


def add_options(add: Add) -> None:
    add_run(add)
    for sign, name in (("+", "plus"), ("-", "minus")):
        add(
            f"--{name}",
            dest="operands",
            action="append",
            type=lambda word, sign=sign: (sign, word),  # in one list, which keeps the order of the sum
            metavar="FILE[:0,3,5]",
            help=f"latents of `gantrain sample --save-latents`, all or some rows; their mean is taken {sign}",
        )
    add_seed(add, "of the noise around the result (0)")
    add("--out", type=Path, help="a .png (RUN/arithmetic.png)")
    add_class(add, "of a conditional run, by number or name, of all pictures (0)")


def main(args: argparse.Namespace) -> None:
    out = png_of(args, "arithmetic.png")
    if not args.operands:
        raise UserError("nothing to add; name latents with --plus FILE and --minus FILE, in the order of the sum")
    from gantrain.cli.work.arithmetic import add_up  # torch, only once the words are sound

    add_up(args, out)
