"""`gantrain translate RUN IN... --out DIR`: turn pictures of any size into others, with a run of pix2pix or CycleGAN.

Examples:
    gantrain translate RUN photo.jpg FOLDER --out TRANSLATED
"""

import argparse
import sys

from gantrain.cli.options import Add, add_pictures
from gantrain.errors import UserError
from gantrain.inference.picture_files import plan, work


def add_options(add: Add) -> None:
    add_pictures(add)
    add("--to", choices=("a", "b"), help="where to, of a run between two folders of pictures (b)")
    add("--drawn", action="store_true", help="IN are drawings already: no edges are taken of them")
    add("--whole", action="store_true", help="IN twice as wide as high are no files of pairs: no half is taken of them")
    add("--longest", type=int, default=1024, help="larger pictures are made so small first (1024)")


def main(args: argparse.Namespace) -> int:
    if args.longest < 1:
        raise UserError(f"--longest is {args.longest}; it is at least 1")
    jobs = plan(args.inputs, args.out, args.force)
    from gantrain.inference.translator import translator_of  # torch, only once the words are sound
    from gantrain.training.loading import load_trained

    trained = load_trained(args.run, args.plugins, args.best)
    data = trained.data
    if "translate" not in trained.verbs:
        raise UserError(f"{args.run} does not translate pictures; name a run of an experiment such as pix2pix_folder")
    if args.drawn and data.condition != "edges":
        raise UserError(f"--drawn: {args.run} makes pictures of no edges; leave it out")
    translator = translator_of(trained, args.raw, args.to, args.drawn, args.whole, args.longest)
    code = work(jobs, translator.open, f" translated, in {args.out}")
    if translator.halved:
        halves = f"{translator.halved:,} twice as wide as high hold a pair, as in training"
        print(f"gantrain: {halves}: only the input's half is taken; --whole takes all of them", file=sys.stderr)
    return code
