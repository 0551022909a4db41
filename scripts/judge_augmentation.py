"""What generated pictures are worth to a classifier that has few real ones.

    gantrain augment RUN REAL --per-class 500 --out MADE
    python scripts/judge_augmentation.py REAL MADE TEST --real 100

REAL, MADE and TEST have a folder for each class. For each seed as many of each class are drawn from REAL, and the
same small classifier is trained twice from the same weights for the same number of steps: on these alone, and with half
of each batch from MADE. Both see pictures shifted by up to two pixels, as is usual. The accuracies are those on TEST,
which neither the classifiers nor the run that made MADE should have seen; errors are standard errors over the seeds.
"""

import argparse
import statistics
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from gantrain.data.folder import ImageFolder
from gantrain.data.module import GANDataModule
from gantrain.drawing.progress import track
from gantrain.errors import UserError
from gantrain.evaluation.classifier import Classifier

STEPS, BATCH, SHIFT = 100, 64, 2


class Labelled(NamedTuple):
    """Pictures (n, c, side, side) in [-1, 1] and class numbers (n,)."""

    pictures: Tensor
    labels: Tensor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, what in (("real", "real pictures"), ("made", "generated ones"), ("test", "real ones to judge by")):
        parser.add_argument(name, type=Path, help=f"{what}, in a folder for each class")
    parser.add_argument("--real", dest="count", type=int, help="how many real pictures are taken (all)")
    parser.add_argument("--seeds", type=int, default=3, help="how often, each with other pictures and weights (3)")
    parser.add_argument("--size", type=int, default=28, help="pixels of a side, 8 to 32 (28)")
    parser.add_argument("--channels", type=int, choices=(1, 3), default=1, help="1 is grey (1)")
    args = parser.parse_args()
    try:
        (real, names), (made, theirs), (test, tested) = (
            read(folder, args.size, args.channels) for folder in (args.real, args.made, args.test)
        )
        if not names == theirs == tested:
            raise UserError(f"the three folders have other classes: {names}, {theirs}, {tested}")
        few = [drawn(real, args.count or len(real.labels), seed) for seed in range(args.seeds)]
    except UserError as error:
        parser.error(str(error))
    print(f"{len(few[0].labels):,} real, {len(made.labels):,} generated, {len(test.labels):,} to judge by")
    pairs = []
    for seed in track(range(args.seeds), args.seeds, "seeds"):
        pairs.append(tuple(accuracy(few[seed], more, test, len(names), seed) for more in (None, made)))
        print(f"seed {seed}: real alone {pairs[-1][0]:.2%}, with generated {pairs[-1][1]:.2%}", flush=True)
    print("\n".join(verdict(pairs)))


def read(folder: Path, size: int, channels: int) -> tuple[Labelled, list[str]]:
    """The pictures of a folder of classes, and their names. Raises UserError."""
    options = {"upsize": True, "on_error": "skip", "root": str(folder)}
    data = GANDataModule(ImageFolder(), size, channels, batch_size=1, **options).open()
    if data.labels is None:
        raise UserError(f"{folder} has no folders of classes")
    pictures = torch.from_numpy(data.cached.images.copy()).float() / 127.5 - 1
    return Labelled(pictures, torch.from_numpy(data.labels)), list(data.source.class_names)


def drawn(real: Labelled, count: int, seed: int) -> Labelled:
    """`count` of the pictures, equally many of each class, by a seed. Raises UserError where there are too few."""
    classes, generator = int(real.labels.max()) + 1, torch.Generator().manual_seed(seed)
    if count == len(real.labels):
        return real
    each = count // classes
    rows = [(real.labels == label).nonzero().flatten() for label in range(classes)]
    if not 1 <= each <= min(map(len, rows)):
        raise UserError(f"--real is {count}: of each of {classes} classes there are {min(map(len, rows))} at least")
    chosen = torch.cat([own[torch.randperm(len(own), generator=generator)[:each]] for own in rows])
    return Labelled(real.pictures[chosen], real.labels[chosen])


def accuracy(
    real: Labelled, made: Labelled | None, test: Labelled, classes: int, seed: int, steps: int | None = None
) -> float:
    """The share of the test's pictures that a classifier is right about, trained for `steps` (STEPS) by a seed."""
    steps = steps or STEPS
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = Classifier(real.pictures.shape[1], classes)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(classifier.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for _ in range(steps):
        sides = [(real, BATCH)] if made is None else [(real, BATCH // 2), (made, BATCH // 2)]
        parts = [batch(side, n, generator) for side, n in sides]
        pictures, labels = (torch.cat(column) for column in zip(*parts, strict=True))
        loss = functional.cross_entropy(classifier(pictures)[1], labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
    classifier.eval()
    with torch.no_grad():
        guesses = torch.cat([classifier(part)[1].argmax(1) for part in test.pictures.split(1000)])
    return (guesses == test.labels).double().mean().item()


def batch(side: Labelled, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """`n` of the pictures, all shifted alike, and their labels."""
    rows = torch.randint(len(side.labels), (n,), generator=generator)
    padded = functional.pad(side.pictures[rows], [SHIFT] * 4, "replicate")
    top, left = torch.randint(2 * SHIFT + 1, (2,), generator=generator).tolist()
    size = side.pictures.shape[-1]
    return padded[..., top : top + size, left : left + size], side.labels[rows]


def verdict(pairs: list[tuple[float, float]]) -> list[str]:
    """Both accuracies, their difference seed by seed, and what that says."""
    columns = {"real alone": [a for a, _ in pairs], "with generated": [b for _, b in pairs]}
    columns["difference"] = [b - a for a, b in pairs]
    lines = [f"{name}: {told(values)}" for name, values in columns.items()]
    mean, error = mean_and_error(columns["difference"])
    if error is None or abs(mean) <= 2 * error:
        return [*lines, "no difference that these seeds can tell"]
    return [*lines, f"the generated pictures {'help' if mean > 0 else 'do harm'}"]


def told(values: list[float]) -> str:
    mean, error = mean_and_error(values)
    return f"{mean:.2%}" if error is None else f"{mean:.2%} +- {error:.2%}"


def mean_and_error(values: list[float]) -> tuple[float, float | None]:
    """The mean and its standard error, which one value alone does not tell."""
    spread = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
    return statistics.fmean(values), spread


if __name__ == "__main__":
    main()
