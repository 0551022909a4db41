"""Scores of a generator's samples: Frechet and kernel distance, precision and recall, classes, copying."""

import functools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from gantrain.checks import check_positive, check_whole
from gantrain.data.module import GANDataModule
from gantrain.drawing.progress import track
from gantrain.errors import UserError, did_you_mean
from gantrain.evaluation.backbones import Backbone, named
from gantrain.evaluation.base import Evaluation
from gantrain.evaluation.classifier import check_labelled, dataset_backbone
from gantrain.evaluation.extraction import Features, RealParts, extract, generated, real_features
from gantrain.evaluation.kept import Tensors
from gantrain.evaluation.measures import classes
from gantrain.evaluation.measures.bootstrap import standard_error
from gantrain.evaluation.measures.frechet import frechet_distance, intra_class
from gantrain.evaluation.measures.kernel import kernel_distance
from gantrain.evaluation.measures.neighbours import K_DENSITY, K_PRECISION, KS, nearest, overlap
from gantrain.evaluation.protocol import ema_or_raw, frechet_name, tagged
from gantrain.models.base import GANModule
from gantrain.run.scores import Result, Score

MOST_REAL = 50_000
OWN, CLASSES, CONDITIONAL = "a classifier of the data's own classes", "a classifier", "a conditional family"


@dataclass
class Sides:
    """The inputs of scores: features of real and fake pictures, and in parts those of the training pictures, of which
    fakes may be copies.

    With `among` the real pictures are the first of the training pictures. `known_as` identifies these in the cache.
    """

    real: Features
    fake: Features
    training: Iterable[Features]
    among: bool
    resamples: int
    generator: torch.Generator
    known_as: tuple = ()

    @functools.cached_property
    def overlap(self) -> dict[str, Tensor]:
        n = min(len(self.real), len(self.fake))  # equally many, since it depends on the density of each side
        return overlap(self.real.features[:n], self.fake.features[:n], self.real.radii(KS, n))


class Found(NamedTuple):
    """A score as a tensor on the device of its features, so that the host does not wait for each score."""

    value: Tensor
    better: Literal["higher", "lower", "near 1"]
    error: Tensor | None


Of = Callable[[Sides], Found]


class SampleScores(Evaluation):
    """Scores of `samples` generated pictures against `real` ones of `split`, from the features of one backbone.

    `backbone` is dataset, tf, random, a classifier of torchvision or a TorchScript file; `weights` a local file for it;
    `resize` the filter tf1, antialias or clean, null the backbone's own. `real` null takes all, 50,000 at most. `split`
    test takes what training does not see. `scores` null gives all that apply; `truncation` cuts the latents' normal at
    so many deviations; `resamples` of the bootstrap give the standard errors.
    """

    def __init__(
        self,
        *,
        backbone: str = "dataset",
        weights: str | None = None,
        resize: str | None = None,
        samples: int = 10_000,
        real: int | None = None,
        split: Literal["train", "test"] = "train",
        scores: Sequence[str] | None = None,
        truncation: float | None = None,
        resamples: int = 20,
        **base: Any,
    ):
        super().__init__(**base)
        check_whole(2, samples=samples, real=real)
        check_whole(0, resamples=resamples)
        check_positive(truncation=truncation)
        for score in scores or ():
            if score not in SCORES:
                near = did_you_mean(score, SCORES)
                raise ValueError(f"scores: there is no '{score}'{near}; there are {', '.join(SCORES)}")
        self.backbone, self.weights, self.resize = backbone, weights, resize
        self.samples, self.real, self.split, self.truncation = samples, real, split, truncation
        self.scores, self.resamples = scores, resamples
        self._classifies: dict[GANDataModule, bool] = {}

    def check(self, module: GANModule, data: GANDataModule) -> None:
        if module.generate is None or module.takes_texts:
            way_out = "evaluation=texts" if module.takes_texts else "evaluation=pairs where the data are aligned pairs"
            raise UserError(
                f"evaluation: these are scores of samples from noise, which {type(module).__name__} does not make; use "
                f"{way_out}, else evaluation=none"
            )
        if self.own:
            check_labelled(data)
        self.wanted(module, data)
        real = self.reference(data)
        if self.real is not None and self.real > len(real):
            raise UserError(f"evaluation.real is {self.real:,}, but the {self.split} split has {len(real):,} samples")
        if min(self.samples, len(real)) <= K_DENSITY:
            raise UserError(
                f"evaluation: {min(self.samples, len(real))} samples are too few for any score; take over {K_DENSITY}"
            )

    @property
    def own(self) -> bool:
        """Whether the backbone is the data's own classifier, which is fitted at the first measurement."""
        return self.backbone == "dataset"

    @functools.cached_property
    def named(self) -> Backbone:
        """Any other backbone, the same for all data."""
        return named(self.backbone, self.weights, self.resize)

    def names(self, module: GANModule, data: GANDataModule) -> list[str]:
        backbone = "dataset" if self.own else self.named.name
        return [self.name_of(score, backbone) for score in self.wanted(module, data)]

    def name_of(self, score: str, backbone: str) -> str:
        """The name of one of SCORES in results."""
        return tagged(frechet_name(backbone) if score == "frechet" else score, self.samples, backbone)

    def measure(self, module: GANModule, data: GANDataModule, raw: bool = False) -> Result:
        wanted, reference = self.wanted(module, data), self.reference(data)
        backbone = dataset_backbone(data, self.weights, self.resize) if self.own else self.named
        count = min(self.real or MOST_REAL, len(reference))
        real = real_features(reference, backbone, count, self.seed, module.device)
        pictures = generated(module, data, self.samples, self.seed, raw, self.truncation, real.labels)
        fake = extract(pictures, backbone, module.device)
        training = RealParts(data, backbone, len(data), self.seed, module.device)
        rounds_clean = backbone.rounded and backbone.filter == "clean"
        protocol = {
            "backbone": backbone.name,
            "weights": backbone.weights[:16],
            "resize": f"{backbone.filter}, rounded, not clean-FID" if rounds_clean else backbone.filter,
            "features": real.features.shape[1],
            "data": reference.content,
            "split": self.split,
            "real": len(real),
            "samples": len(fake),
            "quantisation": "uint8, again after resizing" if backbone.rounded else "uint8",
            "networks": ema_or_raw(module, "generator", raw),
            "truncation": self.truncation,
            "seed": self.seed,
            "inception score": "of all samples at once, not the mean of ten splits" if "is" in wanted else None,
            "neighbours": f"{K_PRECISION} and {K_DENSITY} among {min(len(real), len(fake))}",
        }
        warn_of_bias(real, fake)
        scores = self.score(wanted, real, fake, training, (*training.content, len(data)))
        tables = self.unseen(wanted, data, backbone, real, module.device) if self.own else {}
        return Result({self.name_of(name, backbone.name): score for name, score in scores.items()}, protocol, tables)

    def unseen(
        self, wanted: Sequence[str], data: GANDataModule, backbone: Backbone, real: Features, device: torch.device
    ) -> dict[str, list[dict[str, Any]]]:
        """The scores of as many held-out real pictures in the place of samples: the best that samples can reach.

        Neither training nor the data's classifier has seen these pictures. A classifier separates the pictures that it
        was fitted on more than others, so even real samples do not reach ideal scores. Empty if nothing is held out, or
        if samples are compared with the held-out pictures.
        """
        if self.split == "test" or not data.has_held_out:
            return {}
        try:
            held = data.held_out()
        except UserError as error:
            print(f"warning: no row of unseen real pictures ({error})", file=sys.stderr, flush=True)
            return {}
        count = min(self.samples, len(held))
        if count <= K_DENSITY:
            return {}
        names = [name for name in wanted if CONDITIONAL not in SCORES[name][0]]

        def values() -> Tensors:
            unseen = real_features(held, backbone, count, self.seed, device)
            generator = torch.Generator().manual_seed(self.seed)
            sides = Sides(real, unseen, [real], True, 0, generator, ("unseen",))
            return {name: SCORES[name][1](sides).value for name in names}

        found = real.keep(("unseen", held.content, count, names), values)
        row = {name: f"{found[name].item():.4g}" for name in names}
        return {f"{count:,} unseen real pictures in the place of samples": [row]}

    def wanted(self, module: GANModule, data: GANDataModule) -> tuple[str, ...]:
        """The scores that `scores` asks for, or all that apply. Raises UserError for one that does not apply."""
        there = {OWN: self.own, CLASSES: self.own or self.classifies(data), CONDITIONAL: bool(module.classes)}
        applies = [score for score, (needs, _) in SCORES.items() if all(there[need] for need in needs)]
        for score in self.scores or ():
            if score not in applies:
                raise UserError(
                    f"evaluation.scores: '{score}' does not apply to this family with the backbone "
                    f"{self.backbone}; there are {', '.join(applies)}"
                )
        return tuple(self.scores or applies)

    def classifies(self, data: GANDataModule) -> bool:
        """Whether the backbone classifies, which two pictures tell."""
        if data not in self._classifies:
            with torch.no_grad():
                _, logits = self.named(data.pictures(data.examples(2)["real"]))
            self._classifies[data] = logits is not None
        return self._classifies[data]

    def score(
        self, wanted: Sequence[str], real: Features, fake: Features, training: Iterable[Features], known_as: tuple = ()
    ) -> dict[str, Score]:
        """Each wanted score by its plain name; `training` are the features of the training pictures, in parts.

        If `split` is train, `real` are the first of them.
        """
        generator = torch.Generator().manual_seed(self.seed)
        sides = Sides(real, fake, training, self.split == "train", self.resamples, generator, known_as)
        names = [name for name in SCORES if name in wanted]
        scores = told({name: SCORES[name][1](sides) for name in track(names, len(names), "scores")})
        return {name: scores[name] for name in wanted}


def told(found: Mapping[str, Found]) -> dict[str, Score]:
    """The scores as Python numbers, copied from the device in one transfer."""
    pairs = [(one.value, one.value if one.error is None else one.error) for one in found.values()]
    numbers = torch.stack([number.double() for pair in pairs for number in pair]).view(-1, 2).tolist()
    return {
        name: Score(value, one.better, None if one.error is None else error)
        for (name, one), (value, error) in zip(found.items(), numbers, strict=True)
    }


def resampled(better: Literal["higher", "lower"], statistic: Callable[[Features, Features], Tensor]) -> Of:
    """A score computed by `statistic` of real and fake features; its error comes from a bootstrap over the fakes."""

    def score(sides: Sides) -> Found:
        real, fake = sides.real, sides.fake
        error = standard_error(lambda rows: statistic(real, fake.at(rows)), len(fake), sides.resamples, sides.generator)
        return Found(statistic(real, fake), better, error)

    return score


def of_shares(better: Literal["higher", "lower"], statistic: Callable[[Tensor, Tensor], Tensor]) -> Of:
    """A score computed from the shares of classes among fakes and real pictures, both by the same classifier."""

    def of(real: Features, fake: Features) -> Tensor:
        return statistic(classes.shares(fake.probabilities), classes.shares(real.probabilities))

    return resampled(better, of)


def mean(values: Tensor, better: Literal["higher", "near 1"]) -> Found:
    """The mean over samples with its standard error."""
    return Found(values.mean(), better, values.std() / len(values) ** 0.5)


def neighbours(name: str) -> Of:
    return lambda sides: mean(sides.overlap[name], "higher")


def kernel(sides: Sides) -> Found:
    value, error = kernel_distance(sides.real.features, sides.fake.features, sides.generator)
    return Found(value, "lower", error)


def copying(sides: Sides) -> Found:
    """The distance of samples to their nearest training picture, over the same distance of other real pictures.

    About 1 if samples are as new as real pictures, near 0 if they are copies, above 1 if they are unlike all data.
    """
    real, name = sides.real, ("usual", sides.known_as)
    usual = real.keep(name, lambda: {"usual": nearest_training(sides, real, sides.among)})["usual"].mean()
    return mean(nearest_training(sides, sides.fake) / usual.clamp_min(torch.finfo(torch.float64).tiny), "near 1")


def nearest_training(sides: Sides, side: Features, among: bool = False) -> Tensor:
    """The distance (n,) of each picture of a side to its nearest training picture; with `among` not to itself."""
    least, row = torch.full((len(side),), torch.inf, dtype=torch.float64, device=side.features.device), 0
    for part in sides.training:
        own = torch.arange(len(side), device=least.device) - row if among else None
        least = least.minimum(nearest(side.features, part.features, own)[0])
        row += len(part)
    return least


def mean_intra_class(real: Features, fake: Features) -> Tensor:
    distances = intra_class(real.features, real.labels, fake.features, fake.labels)
    if not distances:
        raise UserError("evaluation.samples: too few for two of any class; take more")
    return torch.stack(list(distances.values())).mean()


def warn_of_bias(real: Features, fake: Features) -> None:
    n, d = min(len(real), len(fake)), real.features.shape[1]
    if n <= d:
        print(
            f"warning: {n:,} samples for {d:,} features: the Frechet distance is biased upwards and to be compared at "
            f"this very count alone; take over {d:,}",
            file=sys.stderr,
            flush=True,
        )


# What each score needs, and how it is computed.
SCORES: dict[str, tuple[tuple[str, ...], Of]] = {
    "frechet": ((), resampled("lower", lambda real, fake: frechet_distance(*real.moments, *fake.moments, real.root))),
    "kid": ((), kernel),
    "classes": ((OWN,), of_shares("higher", classes.found)),
    "sure": ((OWN,), resampled("higher", lambda real, fake: classes.sure_share(fake.probabilities))),
    "kl": ((OWN,), of_shares("lower", classes.divergence)),
    "js": ((OWN,), of_shares("lower", classes.jensen_shannon)),
    "is": ((CLASSES,), resampled("higher", lambda real, fake: classes.inception_score(fake.probabilities))),
    "mode": (
        (CLASSES,),
        resampled("higher", lambda real, fake: classes.mode_score(fake.probabilities, real.probabilities)),
    ),
    "intra": ((CONDITIONAL,), resampled("lower", mean_intra_class)),
    "class_accuracy": (
        (OWN, CONDITIONAL),
        resampled("higher", lambda real, fake: classes.accuracy(fake.probabilities, fake.labels)),
    ),
    **{name: ((), neighbours(name)) for name in ("precision", "recall", "density", "coverage")},
    "copying": ((), copying),
}
