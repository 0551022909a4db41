"""`gantrain export RUN`: write the trained networks for other programs: ONNX, PyTorch's formats, or weights alone.

It compares each file with the network, on batches of other sizes than the file was made with. export.json next to the
file says what it found: the largest difference, inputs with names and shapes, opset.

Examples:
    gantrain export RUN
    gantrain export RUN --format torchscript --network generator --out FOLDER
"""

import argparse
from pathlib import Path

from gantrain.cli.options import Add, add_run, writing
from gantrain.errors import UserError, did_you_mean

FORMATS = ("onnx", "torch.export", "torchscript", "safetensors")


def add_options(add: Add) -> None:
    add_run(add, best=True)
    add("--format", choices=FORMATS, default="onnx", help="the kind of file; onnx needs the extra of this name (onnx)")
    add("--network", metavar="NAME", help="one of the run's networks (all that are of use)")
    add("--out", type=Path, metavar="DIR", help="where they go, a folder for each network (RUN/export/FORMAT)")


def main(args: argparse.Namespace) -> None:
    from gantrain.inference.exporting import FACTS, export_network
    from gantrain.training.loading import load_trained

    trained = load_trained(args.run, args.plugins, args.best)
    names = list(trained.module.networks_for_use())
    if args.network is not None and args.network not in names:
        raise UserError(f"--network: '{args.network}' is none of the run's{did_you_mean(args.network, names)}")
    out = args.out or args.run / "export" / args.format
    if any(out.resolve().is_relative_to((args.run / own).resolve()) for own in ("networks", "checkpoints", ".hydra")):
        raise UserError(f"--out: {out} holds the run's own files; name another folder")
    for name in names if args.network is None else [args.network]:
        with writing("--out", out / name / FACTS):
            facts = export_network(trained, name, args.raw, args.format, out / name)
        inputs = " and ".join(f"{given['name']} ({', '.join(map(str, given['shape']))})" for given in facts["inputs"])
        print(f"{out / name / facts['file']} takes {inputs}; differs by at most {facts['largest_difference']:.2g}")
