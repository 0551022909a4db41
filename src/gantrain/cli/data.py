"""`gantrain data experiment=X data.root=P`: show what training would see.

Examples:
    gantrain data experiment=dcgan_folder data.root=FOLDER
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from gantrain.cli.options import Add, writing
from gantrain.config.build import allow_plugins
from gantrain.config.compose import composed, near_keys
from gantrain.config.stages import stages_of
from gantrain.errors import UserError

if TYPE_CHECKING:  # it imports torch
    from gantrain.data import GANDataModule

GRID = 64  # pictures
NAMED = 20  # pictures


def add_options(add: Add) -> None:
    add("overrides", nargs="*", metavar="key=value", help="as for training: experiment=, data.root=, ...")
    add("--out", type=Path, default=Path("data.png"), help="a grid of pictures as they train (data.png)")
    add("--config-dir", help="a folder with experiments of your own")


def main(args: argparse.Namespace) -> None:
    if args.out.suffix.lower() not in Image.registered_extensions():
        raise UserError(f"--out: cannot write {args.out}; name a picture such as data.png")
    config = composed(args.overrides, args.config_dir)
    allow_plugins(config.get("plugins") or [])
    stages = stages_of(config)
    from gantrain.drawing.pictures import to_pil  # torch, only once the config is sound
    from gantrain.training.assemble import build_data

    for number, stage in enumerate(stages):
        if any(stage.config["data"] == earlier.config["data"] for earlier in stages[:number]):
            continue
        with near_keys(args.overrides):
            data = build_data(stage)
        data.fill()
        print(f"{stage.tag}\n" if stage.tag else "", end="")
        describe(data)
        data.check()  # the report first: it shows what is wrong
        file = args.out.with_stem(f"{args.out.stem}_{stage.tag}") if stage.tag else args.out
        with writing("--out", file):  # pictures as training sees them, the first in its order
            to_pil(data.overview(data.examples(min(GRID, len(data))))).save(file)
        print(f"{'picture':<10}  {file}", flush=True)


def describe(data: "GANDataModule") -> None:
    """Print what was found, a fact per line."""
    for key, value in data.facts().items():
        print(f"{key:<10}  {value}")
    print(f"{'holdout':<10}  {held_out(data)}")
    for index, reason in sorted(data.cached.unreadable.items())[:NAMED]:
        print(f"{'':<10}  {data.source.name(index)!r}: {reason}")
    for reason, count in data.source.dropped.items():
        print(f"{'':<10}  {count:>7,} left out: {reason}")


def held_out(data: "GANDataModule") -> str:
    """What training does not see, in words."""
    if not data.has_held_out:
        return "none; data.holdout=0.1 keeps a tenth from training"
    try:
        count = len(data.held_out().cached.rows)
    except UserError as error:
        return f"none to be had: {error}"
    return f"{count:,}, " + (f"by data.holdout={data.holdout:g}" if data.holdout else "the test split")
