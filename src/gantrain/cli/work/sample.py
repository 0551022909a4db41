"""`gantrain sample`: latents, classes or texts become a grid or single files."""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from gantrain.cli.options import check_cutoff, classes_of, refuse_texts, writing
from gantrain.cli.sample import IN_ROW
from gantrain.data import GANDataModule
from gantrain.data.formats.volume_export import Empty
from gantrain.drawing.pictures import grid, to_pil
from gantrain.drawing.sheets import broken, labelled_rows
from gantrain.errors import UserError
from gantrain.inference.latents import latent_family, save_latents
from gantrain.inference.saved import refuse_other
from gantrain.inference.styles import refuse_without_styles
from gantrain.inference.texts import asked_of

CHUNK = 250
USUAL = 64
MOST_IN_GRID = 10_000
MOST = 1_000_000  # files, and latents in memory


def sample(args: argparse.Namespace) -> None:
    sweep = len(args.psi) > 1
    module, data = latent_family(args.run, args.plugins, args.best, texts=True)
    n = args.n or (IN_ROW if sweep or module.takes_texts else usual(module.classes if args.of_class is None else None))
    if args.psi != [1.0] or args.psi_cutoff is not None:
        refuse_without_styles(module, "--psi")
        check_cutoff(args, module)
    out = place_of(args, data, n)
    latents = module.latents(n, torch.Generator().manual_seed(args.seed), args.truncation)
    if args.shift:
        latents = shifted(latents, args.shift)
    columns, turns = None, torch.arange(n)
    if args.vary is not None:
        walks = varied(module, latents, args.vary)
        latents, columns = walks.flatten(0, 1), walks.shape[1]
        turns = turns.repeat_interleave(columns)  # a row is of one class
        refuse_too_many(len(latents), out)
    if args.save_latents is not None:
        refuse_other(args.save_latents, "--save-latents", "z")
        with writing("--save-latents", args.save_latents):
            save_latents(latents, args.save_latents)
    if module.takes_texts:
        of_texts(args, module, data, latents, out)
        return
    refuse_texts(args)
    cond = classes_of(args.of_class, turns, module, data)
    if columns is None and args.of_class is None:
        columns = module.classes  # one each
    rows = [made(module, latents, cond, args.raw, psi, args.psi_cutoff) for psi in args.psi]
    with writing("--out", out):
        if sweep:
            pictures = (sheet(data, row, len(latents)).convert("RGB") for row in rows)
            labelled_rows([(f"psi {psi:g}", row) for psi, row in zip(args.psi, pictures, strict=True)]).save(out)
        elif out.suffix.lower() == ".png":
            sheet(data, rows[0], columns).save(out)
        else:
            save_each((sample for part in rows[0] for sample in part), len(latents), data, out, args.format)
    print(out)


def usual(columns: int | None) -> int:
    """How many samples nobody asked for: as many whole rows as 64 fill."""
    return (USUAL // columns * columns if columns else 0) or USUAL


def place_of(args: argparse.Namespace, data: GANDataModule, n: int) -> Path:
    """The file or folder of `n` samples for each psi. Raises UserError for one that they do not fit."""
    if args.format not in data.formats:
        raise UserError(f"--format is '{args.format}'; samples of this run can be {', '.join(data.formats)}")
    out = args.out or args.run / ("samples.png" if args.format == "png" else f"samples_{args.format}")
    if out.suffix.lower() in Image.registered_extensions() and out.suffix.lower() != ".png" and not out.is_dir():
        raise UserError(f"--out: '{out}' must end in .png for a grid; name a folder for single files")
    files = {*Image.registered_extensions(), *(f".{kind}" for kind in data.formats)}
    if out.suffix.lower() in files and args.format != "png" and not out.is_dir():
        raise UserError(f"--out: '{out}' is a file, --format {args.format} needs a folder")
    if len(args.psi) > 1 and out.suffix.lower() != ".png":
        raise UserError(f"--out: '{out}' must end in .png, several --psi are one picture")
    if len(args.psi) > 1 and n * len(args.psi) > MOST_IN_GRID:
        raise UserError(
            f"--psi, -n: {len(args.psi):,} rows of {n:,} are too large a grid, at most {MOST_IN_GRID:,} pictures fit; "
            f"take fewer of one"
        )
    refuse_too_many(n, out)
    if out.suffix.lower() != ".png" and not args.force and out.is_dir() and any(out.iterdir()):
        raise UserError(f"--out: {out} holds files already; name a new folder, or replace its samples with --force")
    return out


def sheet(data: GANDataModule, samples: Iterable[Tensor], columns: int | None) -> Image.Image:
    """The samples, a part after the other, as one picture."""
    return to_pil(grid(torch.cat([data.pictures(part) for part in samples]), columns))


def of_texts(args: argparse.Namespace, module: Any, data: GANDataModule, latents: Tensor, out: Path) -> None:
    """Write the pictures of texts: a row for each in a grid, all of the same latents, or one after the other."""
    if args.of_class is not None:
        raise UserError("--class: this run's samples are of texts, not of classes; say it in --text")
    asked = asked_of(module, data, args.text, args.text_file, args.embedding, args.raw)
    count = len(latents) * len(asked.names)
    refuse_too_many(count, out)
    rows = (module.generate(latents, text.expand(len(latents), -1), args.raw) for text in asked.embeddings)
    with writing("--out", out):
        if out.suffix.lower() == ".png":
            columns = IN_ROW if len(asked.names) == 1 else len(latents)
            sheets = [sheet(data, [row], columns).convert("RGB") for row in rows]
            labelled_rows([(broken(n), row) for n, row in zip(asked.names, sheets, strict=True)]).save(out)
        else:
            save_each((sample for row in rows for sample in row), count, data, out, args.format)
    print(out)


def made(
    module: Any, latents: Tensor, cond: Tensor | None, raw: bool, psi: float, cutoff: int | None
) -> Iterator[Tensor]:
    """The samples, a part at a time: 50,000 would fill the memory."""
    for i in torch.arange(len(latents)).split(CHUNK):
        of_part = None if cond is None else cond[i]
        if psi == 1:
            yield module.generate(latents[i], cond=of_part, raw=raw)
        else:
            yield module.generate_from(module.styles(latents[i], of_part, raw, psi, cutoff), raw)


def refuse_too_many(n: int, out: Path) -> None:
    if out.suffix.lower() == ".png" and n > MOST_IN_GRID:
        raise UserError(f"-n: a grid of {n:,} is too large, at most {MOST_IN_GRID:,} fit; name a folder with --out")
    if n > MOST:
        raise UserError(f"-n is {n:,}, at most {MOST:,} are made at once; make more with another --seed")


def shifted(latents: Tensor, shift: Mapping[int, float]) -> Tensor:
    """The latents (n, z_dim) with something added to some of their numbers. Raises UserError where there is no such."""
    if (last := max(shift)) >= latents.shape[1]:
        raise UserError(f"--shift: the latents of this run have the numbers 0 to {latents.shape[1] - 1}, not {last}")
    added = torch.zeros(latents.shape[1])
    added[list(shift)] = torch.tensor(list(shift.values()))
    return latents + added


def varied(module: Any, latents: Tensor, code: int) -> Tensor:
    """Each latent with all values of one code, (n, columns, z_dim). Raises UserError where there is no such code."""
    if (codes := module.codes) is None:
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
