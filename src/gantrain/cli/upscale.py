"""`gantrain upscale RUN IN... --out DIR`: make pictures of any size larger, with a trained super-resolution run.

Examples:
    gantrain upscale RUN photo.jpg FOLDER --out LARGER
"""

import argparse

from gantrain.cli.options import Add, add_pictures
from gantrain.errors import UserError
from gantrain.inference.picture_files import plan, work


def add_options(add: Add) -> None:
    add_pictures(add)
    add("--tile", type=int, default=256, help="pixels of IN that are enlarged at a time, a side (256)")
    add(
        "--overlap",
        type=int,
        default=16,
        help="pixels that tiles share on every side (16, and at least as many as the network sees)",
    )


def main(args: argparse.Namespace) -> int:
    if args.tile < 1 or args.overlap < 0:
        raise UserError(f"--tile is {args.tile} and --overlap {args.overlap}; they are at least 1 and 0")
    jobs = plan(args.inputs, args.out, args.force)
    from gantrain.inference.enlarger import enlarger_of  # torch, only once the words are sound
    from gantrain.training.loading import load_trained

    trained = load_trained(args.run, args.plugins, args.best)
    if "upscale" not in trained.verbs:
        raise UserError(f"{args.run} does not enlarge pictures; name a run of an experiment such as srgan_photos")
    enlarger = enlarger_of(trained, args.raw, args.tile, args.overlap)
    return work(jobs, enlarger.open, f", {enlarger.scale} times larger, in {args.out}")
