"""`gantrain features RUN DATA --out F.npz`: save what a run's discriminator sees, for another task.

The file holds the max-pooled outputs of its layers, features (n, d), and labels (n,), names (n,), splits (n,) and
class_names, the names of all classes.

Examples:
    gantrain features RUN FOLDER --out features.npz
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gantrain.cli.options import Add, add_run, writing
from gantrain.config.changes import named
from gantrain.data import GANDataModule
from gantrain.data.synthetic import Synthetic
from gantrain.errors import UserError
from gantrain.files import replacing
from gantrain.inference.layer_outputs import features_of, of_samples_alone, takes_cond
from gantrain.training.assemble import build_data
from gantrain.training.loading import Trained, load_trained

CHUNK = 64  # samples
OWN = "own"


def add_options(add: Add) -> None:
    add_run(add)
    add(
        "data",
        type=Path,
        help="data of the same kind as the run's, where data.root would be; or `own`, for the run's own",
    )
    add("--out", type=Path, required=True, help="the .npz to write")
    add("--layout", metavar="NAME", help="how DATA is laid out, one of configs/data (the run's own)")
    add("--split", choices=("train", "test"), help="only this one (both, where there is a test split)")
    add("--network", default="discriminator", help="another network of the run (discriminator)")
    add("--layers", type=numbers, help="such as 2,3,4; the first is 1 (all but the first)")
    add("--pool", type=int, help="positions that each side of a map is pooled to (volumes 2, pictures 4)")


def main(args: argparse.Namespace) -> None:
    if args.out.suffix != ".npz":
        raise UserError(f"--out: '{args.out}' must end in .npz")
    if args.pool is not None and args.pool < 1:
        raise UserError(f"--pool is {args.pool}, it must be 1 or more")
    trained = load_trained(args.run, args.plugins)
    if "features" not in trained.verbs:
        raise UserError(f"{args.run}: of a run of its family no features are taken; name one of another family")
    if args.network not in trained.names:
        raise UserError(f"--network: {args.run} has no trained '{args.network}'; there are {', '.join(trained.names)}")
    network = trained.network(args.network, args.raw)
    by_pairs = args.network == "discriminator" and getattr(trained.module, "conditional", False)
    splits = open_splits(trained, args.data, args.layout, args.split)
    inputs = [inputs_of(network, data, by_pairs) for data in splits.values()]
    parts = [features_of(network, batches, args.layers, args.pool).numpy() for batches in inputs]
    labels = [data.labels for data in splits.values()]
    class_names = next(iter(splits.values())).source.class_names
    content: dict[str, Any] = {
        "features": np.concatenate(parts),
        "names": np.array([data.name(i) for data in splits.values() for i in range(len(data))]),
        "splits": np.repeat(list(splits), [len(data) for data in splits.values()]),
        **({} if labels[0] is None else {"labels": np.concatenate(labels)}),
        **({} if class_names is None else {"class_names": np.array(class_names)}),
    }
    with writing("--out", args.out), replacing(args.out) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **content)
    n, d = content["features"].shape
    print(f"{args.out}: {d:,} features of {n:,} samples ({', '.join(f'{k} {len(v):,}' for k, v in splits.items())})")


def numbers(text: str) -> list[int]:
    """What argparse makes of `2,3,4`."""
    return [int(part) for part in text.split(",")]


def open_splits(trained: Trained, root: Path, layout: str | None, split: str | None) -> dict[str, GANDataModule]:
    """The data under `root`, read as the run reads its own but with all their classes. Raises UserError."""
    node = trained.stage.config["data"]
    if str(root) != OWN:
        node["root"] = str(root)
    node |= {"classes": None, "class_names": None}  # other classes than the run's will do
    if layout is not None:
        node["dataset"] = named("data", layout, "--layout")["dataset"]
    data = build_data(trained.stage)  # the run's own, at another place
    if isinstance(data.dataset, Synthetic):
        raise UserError("this run was trained with debug=tiny, on made-up data; say how DATA is laid out with --layout")
    if str(root) != OWN and not getattr(data.dataset, "reads_root", True):
        raise UserError(
            f"these data come with the program, nothing would be read of {root}; name them as `{OWN}`, or say how DATA "
            f"is laid out with --layout"
        )
    if hasattr(data.dataset, "every_class"):
        data.dataset = data.dataset.every_class()
    data.open()
    wanted = [split] if split else ["train", *(["test"] if data.has_held_out else [])]
    return {name: data if name == "train" else data.held_out() for name in wanted}


def inputs_of(
    network: torch.nn.Module, data: GANDataModule, by_pairs: bool = False
) -> Iterator[tuple[torch.Tensor, ...]]:
    """What the network takes of all samples in the data's own order, where the family judges these, as pairs.

    Raises UserError.
    """
    conditional = by_pairs or (takes_cond(network) and getattr(network, "classes", None) is None)
    for start in range(0, len(data), CHUNK):
        batch = data.take(np.arange(start, min(start + CHUNK, len(data))))
        if conditional and "cond" not in batch:
            raise UserError("this discriminator judges by a condition, which these data do not have; name others")
        real = batch["real"]
        yield (real, batch["cond"]) if conditional else of_samples_alone(network, real)
