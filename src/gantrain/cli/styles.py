"""`gantrain styles RUN`: draw a grid of mixtures: samples of rows that take some layers' styles from the columns.

The first column shows the samples of the rows, the first row those of the columns. Layers count from 0, which is the
coarsest. Each size of the maps has two layers.

Examples:
    gantrain styles RUN --rows 6 --columns 6 --layers 0-3
"""

import argparse
import re
from pathlib import Path

from gantrain.cli.options import Add, add_class, add_psi, add_run, add_seed, check_cutoff, classes_of, png_of, writing
from gantrain.errors import UserError

COARSE = "0-3"
MOST = 10_000  # pictures of a grid


def add_options(add: Add) -> None:
    add_run(add, best=True)
    add("--rows", type=int, default=6, help="samples that lend their other layers (6)")
    add("--columns", type=int, default=6, help="samples that lend --layers (6)")
    add("--layers", metavar="A-B", help="which of the columns' styles: 0-3, or 2,4-5 (the first four, at most half)")
    add_psi(add, "styles moved towards their mean: 1 as they are, 0 all alike (1)")
    add_seed(add, "the same seed, the same samples (0)")
    add("--out", type=Path, help="a .png (RUN/styles.png)")
    add_class(add, "of a conditional run, by number or name, of all pictures (0)")


def main(args: argparse.Namespace) -> None:
    out = png_of(args, "styles.png")
    for option in ("rows", "columns"):
        if getattr(args, option) < 1:
            raise UserError(f"--{option} is {getattr(args, option)}, it must be 1 or more")
    if (args.rows + 1) * (args.columns + 1) > MOST:
        raise UserError(f"--rows, --columns: a grid of more than {MOST:,} pictures is too large")
    if len(args.psi) > 1:
        raise UserError("--psi: a grid of mixtures has one; `gantrain sample` shows several")
    import torch  # only once the words are sound

    from gantrain.drawing.pictures import grid, to_pil
    from gantrain.inference.latents import latent_family
    from gantrain.inference.styles import mixtures, refuse_without_styles

    module, data = latent_family(args.run, args.plugins, args.best)
    refuse_without_styles(module, "styles")
    check_cutoff(args, module)
    layers = layers_of(args.layers, module.layers)
    latents = module.latents(args.rows + args.columns, torch.Generator().manual_seed(args.seed))
    cond = classes_of(args.of_class, torch.zeros(len(latents), dtype=torch.int64), module, data)
    styles = module.styles(latents, cond, args.raw, *args.psi, args.psi_cutoff)
    rows, columns = styles.split([args.rows, args.columns])
    mixed = mixtures(rows, columns, layers).flatten(0, 1)
    pictures = data.pictures(module.generate_from(torch.cat([columns, rows, mixed]), args.raw))
    of_columns, of_rows, of_mixed = pictures.split([args.columns, args.rows, len(mixed)])
    corner = torch.full_like(of_columns[:1], 255)
    lines = [torch.cat([own[None], line]) for own, line in zip(of_rows, of_mixed.split(args.columns), strict=True)]
    with writing("--out", out):
        to_pil(grid(torch.cat([corner, of_columns, *lines]), columns=args.columns + 1)).save(out)
    print(out)


def layers_of(word: str | None, count: int) -> list[int]:
    """The layers that `word` names, of `count`; by default coarse ones, at most half. Raises UserError."""
    if word is None:
        return list(range(max(1, min(4, count // 2))))
    if not re.fullmatch(r"\d{1,3}(-\d{1,3})?(,\d{1,3}(-\d{1,3})?)*", word, re.ASCII):
        raise UserError(f"--layers is '{word}', it must be such as {COARSE} or 2,4-5")
    ends = [[int(end) for end in part.split("-")] for part in word.split(",")]
    for first, last in (part for part in ends if len(part) == 2):
        if first > last:
            raise UserError(f"--layers is {word}, and {first}-{last} counts down; write {last}-{first}")
    layers = sorted({layer for first, *last in ends for layer in range(first, (last or [first])[0] + 1)})
    if layers[-1] >= count:
        raise UserError(f"--layers is {word}, this run's generator has the layers 0 to {count - 1}")
    return layers
