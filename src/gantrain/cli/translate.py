"""`gantrain translate RUN IN... --out DIR`: pictures turned into others by a trained picture-to-picture run."""

import argparse
import functools
from collections.abc import Sequence

from gantrain.cli.options import add_pictures
from gantrain.errors import UserError
from gantrain.inference.picture_files import plan, work
from gantrain.inference.translator import Translator
from gantrain.training.loading import load_trained
from gantrain.training.quiet import quiet_libraries


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        "gantrain translate", description="Pictures turned into others by a run of pix2pix or CycleGAN, of any size."
    )
    add_pictures(parser)
    parser.add_argument("--to", choices=("a", "b"), help="where to, of a run between two folders of pictures (b)")
    parser.add_argument("--drawn", action="store_true", help="IN are drawings already: no edges are taken of them")
    parser.add_argument("--longest", type=int, default=1024, help="larger pictures are made so small first (1024)")
    args = parser.parse_args(words)
    quiet_libraries()
    if args.longest < 1:
        raise UserError(f"--longest is {args.longest}; it is at least 1")
    jobs = plan(args.inputs, args.out, args.force)
    return work(jobs, translator(args).open, f" translated, in {args.out}")


def translator(args: argparse.Namespace) -> Translator:
    """The run's generator, ready to translate. Raises UserError where it is none of that kind."""
    from gantrain.training.assemble import build_data
    from gantrain.training.machine import accelerator

    trained = load_trained(args.run, args.plugins, args.best)
    data = build_data(trained.stage)
    if "translate" not in data.verbs:
        raise UserError(f"{args.run} does not translate pictures; name a run of an experiment such as pix2pix_folder")
    condition = getattr(data, "condition", None)
    if args.drawn and condition != "edges":
        raise UserError(f"--drawn: {args.run} makes pictures of no edges; leave it out")
    name = trained.module.generator_to(args.to)
    network = trained.module.averaged(name, args.raw).to(accelerator(trained.stage.config["trainer"])).eval()
    return Translator(
        network,
        functools.partial(data.condition_of, drawn=True) if args.drawn else data.condition_of,
        data.range,
        data.size,
        args.longest,
        keep_light=condition == "grey",
    )
