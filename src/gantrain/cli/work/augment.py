"""`gantrain augment`: pictures of each class, and which of them a classifier is sure of."""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gantrain.cli.augment import UNFINISHED
from gantrain.cli.options import writing
from gantrain.data.module import GANDataModule
from gantrain.drawing.pictures import to_pil
from gantrain.drawing.progress import track
from gantrain.errors import UserError, tell
from gantrain.evaluation.backbones import hash_of
from gantrain.evaluation.classifier import dataset_backbone
from gantrain.files import replacing
from gantrain.inference.latents import latent_family
from gantrain.inference.users_pictures import pictures_in
from gantrain.rng import derive_seed

PREFIX = "generated_"
CHUNK = 50  # pictures made at a time
MOST_TRIES = 20  # times what is asked for, where a classifier chooses
MOST = 1_000_000  # files
PASSES = 300  # at most so many over the real pictures, of which there may be a hundred

Judge = Callable[[Tensor], Tensor]  # pictures (n, c, h, w) uint8 to probabilities (n, classes)


def augment(args: argparse.Namespace) -> int:
    module, data = latent_family(args.run, args.plugins, args.best)
    if not module.classes:
        raise UserError(
            f"{args.run} makes pictures of no classes, so they have no labels; name a run of an experiment such as "
            f"cgan_mnist"
        )
    real = pictures_in(args.folder, data)
    names = names_of(real, args.folder, module, data)
    if len(names) * args.per_class > MOST:
        raise UserError(f"--per-class is {args.per_class:,}, at most {MOST:,} pictures are made at once")
    asked = {
        "weights": [hash_of(module.averaged(name, args.raw)) for name in module.networks_for_use()],
        "pictures": real.content,
        **{name: getattr(args, name) for name in ("per_class", "confidence", "seed")},
    }
    counts = begun(args.out, asked)
    judge = None if args.confidence is None else judge_of(real)
    mark = args.out / UNFINISHED
    with writing("--out", mark):
        for number, name in track(list(enumerate(names)), len(names), "classes"):
            if name in counts:
                continue
            note(mark, asked, counts)
            pictures = chosen(made(module, data, number, args), judge, number, args.confidence)
            counts[name] = save(pictures, args.per_class, args.out / name)
        mark.unlink(missing_ok=True)
    few = {name: count for name, count in counts.items() if count[0] < args.per_class}
    short = [f"{kept:,} of {name!r}, of {tried:,} made" for name, (kept, tried) in few.items()]
    if short:
        tell(f"--confidence {args.confidence:g} leaves fewer than {args.per_class:,}: {'; '.join(short)}")
    print(args.out)
    return 1 if short else 0


def begun(out: Path, asked: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """How many pictures were kept and made of each class that a stopped command has finished; none where it is new.

    Pictures follow from what is `asked`, so those that a stopped command left are made again as they were. Raises
    UserError where it was asked for others.
    """
    mark = out / UNFINISHED
    if not mark.is_file():
        return {}
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
        if found["asked"] == asked:
            return {str(name): (int(kept), int(tried)) for name, (kept, tried) in found["counts"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise UserError(
        f"--out: {out} holds pictures of another command that was stopped; run that command again, or name a new folder"
    )


def note(mark: Path, asked: dict[str, Any], counts: dict[str, tuple[int, int]]) -> None:
    """Say in the folder what is asked, and which classes are whole."""
    with replacing(mark) as temporary:
        temporary.write_text(json.dumps({"asked": asked, "counts": counts}), encoding="utf-8")


def names_of(real: GANDataModule, folder: Path, module: Any, data: GANDataModule) -> list[str]:
    """The class names of the real pictures, by number. Raises UserError where they are not those of the run."""
    learnt = list(data.class_names or map(str, range(module.classes)))
    if real.labels is None:
        raise UserError(f"FOLDER: {folder} has no folders of classes; the run has learnt {', '.join(learnt)}")
    names = list(real.source.class_names or map(str, range(int(real.labels.max()) + 1)))
    if names != learnt:
        raise UserError(
            f"FOLDER: {folder} has the classes {', '.join(names)}, the run has learnt {', '.join(learnt)}; give its "
            f"folders these names"
        )
    if any(Path(real.name(i)).name.startswith(PREFIX) for i in range(len(real))):
        raise UserError(f"FOLDER: {folder} holds pictures called {PREFIX}..., so not only real ones; take them out")
    return names


def judge_of(real: GANDataModule) -> Judge:
    """What the classifier that is fitted on real pictures takes others for."""
    classifier = dataset_backbone(real, passes=PASSES)

    def judge(pictures: Tensor) -> Tensor:
        with torch.no_grad():
            return classifier(pictures)[1].softmax(1)

    return judge


def made(module: Any, data: GANDataModule, number: int, args: argparse.Namespace) -> Iterator[Tensor]:
    """Pictures of a class, a part at a time: all that may be looked at where a classifier chooses, else no more."""
    generator = torch.Generator().manual_seed(derive_seed(args.seed, "augment", number))
    most = args.per_class * (1 if args.confidence is None else MOST_TRIES)
    for _ in range(-(-most // CHUNK)):
        latents = module.latents(CHUNK, generator)
        yield data.pictures(module.generate(latents, cond=torch.full((CHUNK,), number), raw=args.raw))


def chosen(parts: Iterator[Tensor], judge: Judge | None, number: int, least: float | None) -> Iterator[Tensor | None]:
    """Each picture, or None where the classifier is less sure that it is of its class."""
    for pictures in parts:
        taken = torch.ones(len(pictures), dtype=torch.bool) if judge is None else judge(pictures)[:, number] >= least
        yield from (picture if take else None for picture, take in zip(pictures, taken.tolist(), strict=True))


def save(pictures: Iterator[Tensor | None], count: int, folder: Path) -> tuple[int, int]:
    """Write at most so many of them; how many there were, and how many were looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = tried = 0
    for picture in pictures:
        tried += 1
        if picture is not None:
            to_pil(picture).save(folder / f"{PREFIX}{kept:0{len(str(count - 1))}d}.png")
            kept += 1
        if kept == count:
            break
    return kept, tried
