"""`gantrain sample RUN`: pictures from a trained run, as a grid or one file each."""

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from gantrain.cli.options import Add, add_class, add_run, add_seed, classes_of, writing
from gantrain.data import GANDataModule
from gantrain.data.formats.volume_export import Empty
from gantrain.drawing.pictures import grid, to_pil
from gantrain.errors import UserError
from gantrain.inference.latents import latent_family, save_latents

CHUNK = 250
MOST_IN_GRID = 10_000
MOST = 1_000_000  # files, and latents in memory


def add_options(add: Add) -> None:
    add_run(add, best=True)
    add("-n", type=int, default=64, help="how many (64)")
    add_seed(add, "the same seed, the same pictures (0)")
    add("--out", type=Path, help="a .png for a grid, a folder for single files (RUN/samples.png)")
    add("--force", action="store_true", help="replace the samples that the folder holds")
    add("--format", default="png", help="of single files: png; of volumes also npy, mat, obj, stl, ply")
    add("--truncation", type=float, metavar="T", help="latents within T deviations: fewer oddities, less variety")
    add(
        "--vary",
        type=int,
        metavar="CODE",
        help="of an InfoGAN: each latent with all values of a code in its row; 0 is the categorical one",
    )
    add("--save-latents", type=Path, metavar="FILE", help="write their latents as well, for interpolate and arithmetic")
    add_class(add, "of a conditional run only this one, by number or name (all in turn)")


def main(args: argparse.Namespace) -> None:
    if args.n < 1:
        raise UserError(f"-n is {args.n}, it must be 1 or more")
    if args.truncation is not None and not args.truncation > 0:
        raise UserError(f"--truncation is {args.truncation}, it must be above 0, such as 0.7")
    module, data = latent_family(args.run, args.plugins, args.best)
    if args.format not in data.formats:
        raise UserError(f"--format is '{args.format}'; samples of this run can be {', '.join(data.formats)}")
    out = args.out or args.run / ("samples.png" if args.format == "png" else f"samples_{args.format}")
    if out.suffix.lower() in Image.registered_extensions() and out.suffix.lower() != ".png" and not out.is_dir():
        raise UserError(f"--out: '{out}' must end in .png for a grid; name a folder for single files")
    files = {*Image.registered_extensions(), *(f".{kind}" for kind in data.formats)}
    if out.suffix.lower() in files and args.format != "png" and not out.is_dir():
        raise UserError(f"--out: '{out}' is a file, --format {args.format} needs a folder")
    refuse_too_many(args.n, out)
    if out.suffix.lower() != ".png" and not args.force and out.is_dir() and any(out.iterdir()):
        raise UserError(f"--out: {out} holds files already; name a new folder, or replace its samples with --force")
    latents = module.latents(args.n, torch.Generator().manual_seed(args.seed), args.truncation)
    columns = None
    if args.vary is not None:
        rows = varied(module, latents, args.vary)
        latents, columns = rows.flatten(0, 1), rows.shape[1]
        refuse_too_many(len(latents), out)
    if args.save_latents is not None:
        with writing("--save-latents", args.save_latents):
            save_latents(latents, args.save_latents)
    cond = classes_of(args.of_class, torch.arange(len(latents)), module, data)
    if columns is None and args.of_class is None:
        columns = module.classes  # one each
    # A part at a time: 50,000 samples would fill the memory.
    parts = torch.arange(len(latents)).split(CHUNK)
    samples = (module.generate(latents[i], cond=None if cond is None else cond[i], raw=args.raw) for i in parts)
    with writing("--out", out):
        if out.suffix.lower() == ".png":
            to_pil(grid(torch.cat([data.pictures(part) for part in samples]), columns)).save(out)
        else:
            save_each((sample for part in samples for sample in part), len(latents), data, out, args.format)
    print(out)


def refuse_too_many(n: int, out: Path) -> None:
    if out.suffix.lower() == ".png" and n > MOST_IN_GRID:
        raise UserError(f"-n: a grid of {n:,} is too large, at most {MOST_IN_GRID:,} fit; name a folder with --out")
    if n > MOST:
        raise UserError(f"-n is {n:,}, at most {MOST:,} are made at once; make more with another --seed")


def varied(module: Any, latents: Tensor, code: int) -> Tensor:
    """Each latent with all values of one code, (n, columns, z_dim). Raises UserError where there is no such code."""
    codes = getattr(module, "codes", None)
    if codes is None:
        raise UserError(
            "--vary: the latents of this run hold no codes; it is for those of losses.auxiliary, as InfoGAN's"
        )
    if not 0 <= code <= codes.continuous:
        raise UserError(
            f"--vary is {code}, this run has the codes 0 (of {codes.categorical} values) to {codes.continuous}"
        )
    return codes.varied(latents, code)


def save_each(samples: Iterable[Tensor], count: int, data: GANDataModule, folder: Path, kind: str) -> None:
    """One file per sample of `count`. Raises UserError where none has anything to write."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in list(folder.glob(f"*.{kind}")):  # there may have been more
        if re.fullmatch("[0-9]+", old.stem):
            old.unlink()
    empty = []
    for i, sample in enumerate(samples):
        name = f"{i:0{len(str(count - 1))}d}"
        try:
            data.save(sample, folder / f"{name}.{kind}")
        except Empty:
            empty.append(name)
    if len(empty) == count:
        raise UserError(f"--format {kind}: all samples are empty volumes; train longer, or try another --seed")
    if empty:
        print(f"gantrain: samples without a file, for they are empty volumes: {', '.join(empty)}", file=sys.stderr)
