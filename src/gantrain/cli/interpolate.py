"""`gantrain interpolate RUN`: walk between latents, or between the styles of projected photos.

A .png shows one leg of the walk in each row; a film shows one closed walk. The walk is spherical between latents and
straight between styles. With a run of texts it goes straight from one --text to the next and keeps the latent, a
different one in each row. With one --text it goes between latents.

Examples:
    gantrain interpolate RUN --out walk.gif
    gantrain interpolate RUN --out walk.png --seed 3
    gantrain interpolate RUN --styles D/anna.safetensors D/ben.safetensors --out walk.gif
    gantrain interpolate RUN --text "a small red square" --text "a large blue circle"
"""

import argparse
from pathlib import Path

from gantrain.cli.options import Add, add_class, add_run, add_seed, add_text
from gantrain.drawing import video
from gantrain.errors import UserError

KINDS = (".png", ".gif", ".mp4")
MOST = 10_000  # pictures of one walk


def add_options(add: Add) -> None:
    add_run(add)
    add_seed(add, "the same seed, the same walk (0)")
    add("--steps", type=int, help="pictures from one latent to the next (8; 24 in an animation)")
    add("--rows", type=int, help="legs of the walk (8)")
    add("--latents", metavar="FILE", help="walk through saved latents, FILE or FILE:0,3,5")
    add("--styles", nargs="+", metavar="FILE", help="walk through the styles that `gantrain project` saved")
    add("--space", choices=("z", "w"), default="z", help="w: between the styles of latents, of a run that has some (z)")
    add("--out", type=Path, help="a .png, .gif or .mp4 (RUN/interpolation.png)")
    add_class(add, "of a conditional run, by number or name (in a .png each row its own in turn, else 0)")
    add_text(add)


def main(args: argparse.Namespace) -> None:
    out = args.out or args.run / "interpolation.png"
    kind = out.suffix.lower()
    check(args, kind)
    steps = args.steps or (8 if kind == ".png" else 24)
    check_length(1 if args.latents or args.styles else args.rows or 8, steps)
    from gantrain.cli.work.interpolate import interpolate  # torch, only once the words are sound

    interpolate(args, out, steps)


def check(args: argparse.Namespace, kind: str) -> None:
    """Raise UserError for what can be seen before the run is opened."""
    if kind not in KINDS:
        raise UserError(f"--out: '{args.out}' must end in {', '.join(KINDS)}")
    least = 2 if kind == ".png" else 1
    if args.steps is not None and args.steps < least:
        raise UserError(f"--steps is {args.steps}, it must be {least} or more")
    if args.rows is not None and args.rows < 1:
        raise UserError(f"--rows is {args.rows}, it must be 1 or more")
    given = "--styles" if args.styles else "--latents"
    if args.latents and args.styles:
        raise UserError("--latents and --styles: a walk is through one of them; leave the other out")
    if args.rows is not None and (args.latents or args.styles):
        raise UserError(f"--rows and {given}: the file says how many legs there are; select with FILE:0,3,5")
    if args.styles and args.of_class is not None:
        raise UserError("--styles and --class: styles have their class already; leave --class out")
    if kind == ".mp4" and not video.installed():
        raise UserError("--out: an .mp4 needs `pip install 'gantrain[mp4]'`; a .gif needs nothing")


def check_length(legs: int, steps: int) -> None:
    if legs * steps > MOST:
        raise UserError(f"--steps, --rows: a walk of {legs * steps:,} pictures is too long, at most {MOST:,} are made")
