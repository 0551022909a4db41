"""`gantrain features`: the outputs of a discriminator's layers for all samples of data."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gantrain.cli.options import writing
from gantrain.config.changes import named
from gantrain.data import GANDataModule
from gantrain.data.source import OfSomeClasses
from gantrain.data.synthetic import Synthetic
from gantrain.errors import UserError
from gantrain.files import replacing
from gantrain.inference.layer_outputs import features_of, of_samples_alone, takes_cond
from gantrain.training.assemble import build_data
from gantrain.training.loading import Trained, load_trained

CHUNK = 64  # samples
OWN = "own"


def features(args: argparse.Namespace) -> None:
    trained = load_trained(args.run, args.plugins)
    if "features" not in trained.verbs:
        raise UserError(f"{args.run}: of a run of its family no features are taken; name one of another family")
    if args.network not in trained.names:
        raise UserError(f"--network: {args.run} has no trained '{args.network}'; there are {', '.join(trained.names)}")
    network = trained.network(args.network, args.raw)
    by_pairs = args.network == "discriminator" and trained.module.conditional
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
    if str(root) != OWN and not data.reads_root:
        raise UserError(
            f"these data come with the program, nothing would be read of {root}; name them as `{OWN}`, or say how DATA "
            f"is laid out with --layout"
        )
    if isinstance(data.dataset, OfSomeClasses):
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
