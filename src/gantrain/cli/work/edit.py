"""`gantrain edit`: directions of styles, and pictures along them."""

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gantrain.cli.options import classes_of, writing
from gantrain.cli.styles import layers_of
from gantrain.drawing.pictures import grid, to_pil
from gantrain.drawing.progress import track
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


def edit(args: argparse.Namespace, out: Path) -> None:
    if args.save is not None:
        refuse_other(args.save, "--save", "directions")
    module, data = latent_family(args.run, args.plugins, args.best)
    refuse_without_styles(module, "edit")
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
        rows = [f"{name}\nread right: {quality:.0%}" for name, quality in zip(called, qualities, strict=True)]
        return torch.stack(vectors)[:, None] * moves, rows
    if (args.rows or 0) > module.w_dim:
        raise UserError(f"--rows is {args.rows}, styles of this run have {module.w_dim} numbers and as many directions")
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
    for part in track(parts, len(parts), "parts of the samples"):
        samples = module.generate_from(part[:, None].expand(-1, module.layers, -1), args.raw)
        with torch.no_grad():
            labels.append(classifier(data.pictures(samples))[1].argmax(1))
    directions = by_labels(w, torch.cat(labels))
    if not directions:
        raise UserError("--labels: samples of this run are nearly all of one class; nothing can be told apart")
    return directions
