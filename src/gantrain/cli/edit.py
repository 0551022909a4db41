"""`gantrain edit RUN`: move a sample or a projected photo along directions of styles, one row for each direction.

Without options it takes the directions that change the layers' styles most (SeFa, Shen and Zhou 2021). This needs no
data. With --labels it takes one direction towards each class of the run's data: a classifier reads the classes of
samples, and a linear classifier is fitted on their styles. With --direction it reads a file that --save has written.

Examples:
    gantrain edit RUN --rows 6 --save d.safetensors
    gantrain edit RUN --direction d.safetensors:0,3 --styles D/anna.safetensors
    gantrain edit RUN --labels
"""

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gantrain.cli.options import Add, add_class, add_run, add_seed, classes_of, png_of, writing
from gantrain.cli.styles import layers_of
from gantrain.drawing.pictures import grid, to_pil
from gantrain.drawing.progress import shown
from gantrain.drawing.sheets import labelled_rows
from gantrain.errors import UserError
from gantrain.evaluation.classifier import dataset_backbone
from gantrain.inference.directions import by_labels, factorised
from gantrain.inference.latents import latent_family
from gantrain.inference.saved import refuse_other
from gantrain.inference.style_files import read_directions, read_styles, save_directions
from gantrain.inference.styles import moved, refuse_without_styles, spread

LABELLED = 4000  # samples that are classified
CHUNK = 250
MOST = 10_000  # pictures of one sheet


def add_options(add: Add) -> None:
    add_run(add, best=True)
    add("--labels", action="store_true", help="directions towards the classes of the run's data")
    add("--direction", metavar="FILE", help="saved directions, FILE or FILE:0,3,5")
    add("--save", type=Path, metavar="FILE", help="write the directions as well, as .safetensors")
    add("--rows", type=int, help="how many directions are found without labels, the strongest first (6)")
    add("--steps", type=int, default=7, help="pictures in a row, the unmoved one in the middle (7)")
    add("--reach", type=float, default=1.0, metavar="R", help="how far: 1 is how far styles lie from their mean (1)")
    add("--layers", metavar="A-B", help="move the styles of these layers alone, such as 0-3 or 2,4-5 (all)")
    add("--styles", metavar="FILE", help="the style of a projected photo, FILE or FILE:3, in the place of a sample")
    add_seed(add, "the same seed, the same sample (0)")
    add_class(add, "of a conditional run, by number or name (0)")
    add("--out", type=Path, help="a .png (RUN/edit.png)")


def main(args: argparse.Namespace) -> None:
    out = png_of(args, "edit.png")
    check(args)
    module, data = latent_family(args.run, args.plugins, args.best)
    refuse_without_styles(module, "gantrain edit")
    layers = layers_of(args.layers or f"0-{module.layers - 1}", module.layers)
    style = chosen(args, module, data)
    directions, names = found(args, module, data, layers)
    if len(names) * args.steps > MOST:
        raise UserError(f"--steps: a sheet of {len(names) * args.steps:,} pictures is too large, at most {MOST:,}")
    if args.save is not None:
        with writing("--save", args.save):
            save_directions(directions, [name.partition("\n")[0] for name in names], args.save)
    distances = torch.linspace(-args.reach, args.reach, args.steps) * spread(module, args.raw)[1]
    pictures = data.pictures(module.generate_from(moved(style, directions, distances).flatten(0, 1), args.raw))
    rows = [to_pil(grid(row, columns=args.steps)).convert("RGB") for row in pictures.split(args.steps)]
    with writing("--out", out):
        labelled_rows(list(zip(names, rows, strict=True))).save(out)
    print(out)


def check(args: argparse.Namespace) -> None:
    """Raise UserError for what can be seen before the run is opened."""
    if args.save is not None:
        refuse_other(args.save, "--save", "directions")
    if args.labels and args.direction:
        raise UserError("--labels and --direction: directions are found or come from a file; leave one out")
    if args.rows is not None and (args.labels or args.direction):
        given = "--labels" if args.labels else "--direction"
        raise UserError(f"--rows and {given}: --rows is for directions that are found without labels; leave one out")
    if args.rows is not None and args.rows < 1:
        raise UserError(f"--rows is {args.rows}, it must be 1 or more")
    if args.steps < 2:
        raise UserError(f"--steps is {args.steps}, it must be 2 or more")
    if not 0 < args.reach < 1000:
        raise UserError(f"--reach is {args.reach:g}, it must be above 0 and below 1,000, such as 1.5")
    if args.styles and args.of_class is not None:
        raise UserError("--styles and --class: a style has its class already; leave --class out")


def chosen(args: argparse.Namespace, module: Any, data: Any) -> Tensor:
    """The style (layers, w_dim) that is moved."""
    if args.styles:
        styles, _, _ = read_styles(args.styles, module)
        if len(styles) > 1:
            raise UserError(f"--styles: {args.styles} names {len(styles)} styles; name one of them, as {args.styles}:0")
        return styles[0]
    z = module.latents(1, torch.Generator().manual_seed(args.seed))
    return module.styles(z, classes_of(args.of_class, torch.zeros(1, dtype=torch.int64), module, data), args.raw)[0]


def found(args: argparse.Namespace, module: Any, data: Any, layers: list[int]) -> tuple[Tensor, list[str]]:
    """Directions (n, layers, w_dim) that move no other layer than `layers`, and what their rows are called."""
    moves = torch.zeros(module.layers, 1).index_fill(0, torch.tensor(layers), 1)
    if args.direction:
        directions, names = read_directions(args.direction, module)
        return directions * moves, names
    if args.labels:
        of_classes = labelled(args, module, data)
        names = list(data.source.class_names or ())
        called = [names[number] if number < len(names) else str(number) for number in of_classes]
        vectors, qualities = zip(*of_classes.values(), strict=True)
        rows = [f"{name}\ntold at {quality:.0%}" for name, quality in zip(called, qualities, strict=True)]
        return torch.stack(vectors)[:, None] * moves, rows
    weights = module.averaged("generator", args.raw).synthesis.style_weights
    directions = factorised([weights[layer].cpu() for layer in layers], args.rows or 6)
    return directions[:, None] * moves, [f"factor {number}" for number in range(len(directions))]


def labelled(args: argparse.Namespace, module: Any, data: Any) -> dict[int, tuple[Tensor, float]]:
    """By class of the run's data the direction towards it, as a classifier of their pictures reads samples."""
    data.open()
    if data.cached.labels is None or len(set(data.cached.labels.tolist())) < 2:
        raise UserError("--labels: the run's data have no classes to go by; leave it out")
    classifier = dataset_backbone(data, None, None)
    w = module.mapped(module.latents(LABELLED, torch.Generator().manual_seed(args.seed)), raw=args.raw)
    parts, labels = w.split(CHUNK), []
    for part in shown(parts, len(parts), "parts of the samples"):
        samples = module.generate_from(part[:, None].expand(-1, module.layers, -1), args.raw)
        with torch.no_grad():
            labels.append(classifier(data.pictures(samples))[1].argmax(1))
    directions = by_labels(w, torch.cat(labels))
    if not directions:
        raise UserError("--labels: samples of this run are nearly all of one class; nothing can be told apart")
    return directions
