"""`gantrain upscale RUN IN... --out DIR`: pictures made larger by a trained super-resolution run."""

import argparse
from collections.abc import Sequence

from gantrain.cli.options import add_pictures
from gantrain.errors import UserError
from gantrain.inference.enlarger import Enlarger
from gantrain.inference.picture_files import plan, work
from gantrain.training.loading import load_trained
from gantrain.training.quiet import quiet_libraries


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        "gantrain upscale", description="Pictures made larger by a trained super-resolution run, of any size."
    )
    add_pictures(parser)
    parser.add_argument("--tile", type=int, default=256, help="pixels of IN that are enlarged at a time, a side (256)")
    parser.add_argument(
        "--overlap",
        type=int,
        default=16,
        help="pixels that tiles share on every side (16, and at least as many as the network sees)",
    )
    args = parser.parse_args(words)
    quiet_libraries()
    if args.tile < 1 or args.overlap < 0:
        raise UserError(f"--tile is {args.tile} and --overlap {args.overlap}; they are at least 1 and 0")
    jobs = plan(args.inputs, args.out, args.force)
    enlarger = super_resolver(args)
    return work(jobs, enlarger.open, f", {enlarger.scale} times larger, in {args.out}")


def super_resolver(args: argparse.Namespace) -> Enlarger:
    """The run's generator, ready to enlarge. Raises UserError where it is none of that kind."""
    from gantrain.training.assemble import build_data
    from gantrain.training.machine import accelerator

    trained = load_trained(args.run, args.plugins, args.best)
    data = build_data(trained.stage)
    if "upscale" not in data.verbs:
        raise UserError(f"{args.run} does not enlarge pictures; name a run of an experiment such as srgan_photos")
    network = trained.module.averaged("generator", args.raw).to(accelerator(trained.stage.config["trainer"])).eval()
    reach = getattr(network, "reach", 0)
    return Enlarger(network, data.scale, data.channels, data.range, args.tile, max(args.overlap, reach))
