"""`gantrain age`: photos of faces, and the same faces in other ages."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from gantrain.cli.options import writing
from gantrain.data.ages import CLASS_NAMES
from gantrain.drawing.pictures import to_pil
from gantrain.drawing.progress import track
from gantrain.drawing.sheets import INK, PAPER, enlarged, font, labelled_rows
from gantrain.errors import UserError
from gantrain.inference.users_pictures import read_photo
from gantrain.losses.euclidean import Euclidean
from gantrain.models.inversion import Inversion
from gantrain.networks import torchscript
from gantrain.training.loading import load_trained

CELL, GAP = 128, 4
STEPS = 50  # of L-BFGS, each with a line search


def age(args: argparse.Namespace) -> None:
    trained = load_trained(args.run, args.plugins)
    module, data = trained.module, trained.data
    if "age" not in module.verbs:
        raise UserError(f"{args.run} has no trained encoder of faces; train agecgan_wiki past its stage gan")
    if args.face is not None:
        module.networks["face"].path = str(args.face)
        if args.face.is_file():
            torchscript.trust(args.face)
    usual = module.classes == len(CLASS_NAMES)
    names = CLASS_NAMES if usual else [f"class {age}" for age in range(module.classes)]
    ages = list(range(module.classes)) if args.to == "all" else [class_number("--to", args.to, module.classes)]
    own = None if args.own is None else class_number("--from", args.own, module.classes)
    photos = torch.stack([read_photo(photo, data) for photo in track(args.photos, len(args.photos), "photos read")])
    real = data.to_range(photos)
    z = module.encode(real, args.raw)
    conds = nearest_class(module, z, real, args.raw) if own is None else torch.full((len(real),), own)
    if args.optimise:
        rows = zip(z.split(1), real.split(1), conds.split(1), strict=True)
        z = torch.cat([refine(module, *row, raw=args.raw) for row in track(rows, len(z), "photos refined")])
    made = module.in_all_classes(z, args.raw)
    again = made[torch.arange(len(z)), conds]
    columns = {"photo": photos, "reconstruction": data.pictures(again)}
    columns |= {names[age]: data.pictures(made[:, age]) for age in ages}
    captions = [f"{photo.name}\ntaken as {names[cond]}" for photo, cond in zip(args.photos, conds, strict=True)]
    with writing("--out", args.out / "ages.png"):
        sheet(columns, captions).save(args.out / "ages.png")
        if args.single:
            save_single(args.out, args.photos, columns)
    print(args.out / "ages.png")


def class_number(option: str, word: str, classes: int) -> int:
    if not word.isdecimal() or int(word) >= classes:
        raise UserError(f"{option} is '{word}', it must be a class of age from 0 to {classes - 1}")
    return int(word)


def nearest_class(module: Inversion, z: Tensor, real: Tensor, raw: bool) -> Tensor:
    """The class (n,) in which each latent's sample has the least squared distance to the photo."""
    return (module.in_all_classes(z, raw) - real[:, None]).square().flatten(2).sum(2).argmin(1)


def refine(module: Inversion, z: Tensor, real: Tensor, cond: Tensor, raw: bool = False, steps: int = STEPS) -> Tensor:
    """The latent (1, z_dim) near `z` whose sample has the photo's face, by L-BFGS (Antipov et al. 2017, equation 2).

    The distance of the embeddings never ends larger than it began.
    """
    generator, face = module.averaged("generator", raw).eval().requires_grad_(False), module.networks["face"]
    distance, wanted = Euclidean(), module.face_of(real)
    z = z.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([z], max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = distance(face(generator(z, cond)), wanted)
        loss.backward()
        return loss

    optimizer.step(closure)
    return z.detach()


def sheet(columns: Mapping[str, Tensor], captions: Sequence[str]) -> Image.Image:
    """A row per photo, with its caption, under the columns' names."""
    step = CELL + GAP
    head = Image.new("RGB", (len(columns) * step, 18), PAPER)
    pen = ImageDraw.Draw(head)
    rows = [Image.new("RGB", (len(columns) * step, CELL), PAPER) for _ in captions]
    for i, (name, pictures) in enumerate(columns.items()):
        pen.text((i * step + CELL // 2, 0), name, INK, font(), anchor="ma")
        for row, picture in zip(rows, pictures, strict=True):
            row.paste(enlarged(picture, CELL), (i * step, 0))
    return labelled_rows([("", head), *zip(captions, rows, strict=True)])


def save_single(out: Path, photos: Sequence[Path], columns: Mapping[str, Tensor]) -> None:
    """A file for each picture; photos of the same name are told apart by their number."""
    stems = [photo.stem for photo in photos]
    for number, stem in enumerate(stems):
        name = stem if stems.count(stem) == 1 else f"{stem}_{number}"
        for column, part in columns.items():
            to_pil(part[number]).save(out / f"{name}_{column.replace(' ', '_')}.png")
