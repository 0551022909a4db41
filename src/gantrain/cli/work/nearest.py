"""`gantrain nearest`: the pictures of a folder in the order of their distance to a photo."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gantrain.cli.options import writing
from gantrain.data.module import GANDataModule
from gantrain.drawing.pictures import grid, to_pil
from gantrain.drawing.sheets import labelled_rows
from gantrain.errors import UserError
from gantrain.inference.layer_outputs import features_of, of_samples_alone, takes_cond
from gantrain.inference.users_pictures import pictures_in, read_photo
from gantrain.training.loading import Trained, load_trained

CHUNK = 64  # pictures
POSITIONS = 2  # that each side of a map is pooled to
SIDE = 96  # pixels of a small picture on the sheet


def nearest(args: argparse.Namespace, out: Path) -> None:
    trained = load_trained(args.run, args.plugins)
    network = judge_of(trained, args.run, args.raw)
    photo = read_photo(args.photo, trained.data)
    data = pictures_in(args.folder, trained.data)
    others = np.array([i for i in range(len(data)) if not is_file(data, i, args.photo)], np.int64)
    if not len(others):
        raise UserError(f"FOLDER: {args.folder} holds no picture but {args.photo}; name a folder with others")
    distances = {
        "by what the\ndiscriminator sees": by_features(network, photo, data, others),
        "by pixels": by_pixels(photo, data, others),
    }
    rows = [("photo", to_pil(grid(photo[None], 1, SIDE)).convert("RGB"))]
    for label, found in distances.items():
        order = torch.argsort(found, stable=True)[: args.n]
        pictures = data.pictures(data.take(others[order.numpy()])["real"])
        rows.append((label, to_pil(grid(pictures, args.n, SIDE)).convert("RGB")))
        said = ", ".join(f"{data.name(int(others[i]))!r} {found[i]:.2f}" for i in order)
        print(f"{' '.join(label.split())}: {said}")
    with writing("--out", out):
        labelled_rows(rows).save(out)
    print(out)


def judge_of(trained: Trained, run: Path, raw: bool) -> torch.nn.Module:
    """The discriminator of a run of pictures. Raises UserError where it cannot judge a photo alone."""
    module = trained.module
    if "features" not in module.verbs or trained.data.formats != ("png",):
        raise UserError(f"{run}: its family has no one discriminator of pictures; name a run of another")
    if "discriminator" not in trained.names:
        raise UserError(f"{run} has no trained discriminator; name a run with its checkpoints")
    network = trained.network("discriminator", raw)
    if (takes_cond(network) and not module.classes) or module.conditional:
        raise UserError(
            f"{run}: its discriminator judges pictures by a condition, which a photo alone does not have; name a run "
            f"without"
        )
    return network


def is_file(data: GANDataModule, index: int, photo: Path) -> bool:
    """Whether a picture of the folder is the photo's own file."""
    file = data.root / data.name(index)
    return file.name == photo.name and file.exists() and file.samefile(photo)


def by_features(network: Any, photo: Tensor, data: GANDataModule, rows: np.ndarray) -> Tensor:
    """The distance (n,) of the photo's features from each picture's."""

    def inputs() -> Iterator[tuple[Tensor, ...]]:
        yield of_samples_alone(network, data.to_range(photo[None]))
        for part in np.array_split(rows, -(-len(rows) // CHUNK)):
            yield of_samples_alone(network, data.take(part)["real"])

    own, *others = features_of(network, inputs(), pool=POSITIONS).split([1, len(rows)])
    deviations = others[0].std(0, unbiased=False)
    scale = torch.where(deviations > 0, deviations, torch.inf)  # what is alike everywhere tells nothing
    return ((others[0] - own) / scale).square().mean(1).sqrt()


def by_pixels(photo: Tensor, data: GANDataModule, rows: np.ndarray) -> Tensor:
    """The root mean square difference (n,) of the photo from each picture, of 0..255."""
    found = []
    for part in np.array_split(rows, -(-len(rows) // CHUNK)):
        pictures = data.pictures(data.take(part)["real"]).float()
        found.append((pictures - photo.float()).square().flatten(1).mean(1).sqrt())
    return torch.cat(found)
