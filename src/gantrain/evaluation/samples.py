"""Scores of a generator's samples: Frechet and kernel distance, precision and recall, classes, copying."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch

from gantrain.data.module import GANDataModule
from gantrain.errors import UserError
from gantrain.evaluation.backbones import Backbone, named
from gantrain.evaluation.base import Evaluation, Result, Score
from gantrain.evaluation.bootstrap import mean_and_error, standard_error
from gantrain.evaluation.classes import (
    accuracy,
    divergence,
    found,
    inception_score,
    jensen_shannon,
    mode_score,
    shares,
    sure_share,
)
from gantrain.evaluation.classifier import check_labelled, dataset_backbone
from gantrain.evaluation.features import Features, extract, generated, real_features
from gantrain.evaluation.frechet import frechet_distance, intra_class, moments
from gantrain.evaluation.kernel import kernel_distance
from gantrain.evaluation.neighbours import K_DENSITY, K_PRECISION, nearest, overlap
from gantrain.evaluation.protocol import Protocol, untagged
from gantrain.models.base import GANModule
from gantrain.names import did_you_mean

OF_CLASSES = ("classes", "sure", "kl", "js")  # their classifier must know the data's own
OF_CLASSIFIERS = ("is", "mode")
OF_CONDITIONS = ("intra", "class_accuracy")
OF_NEIGHBOURS = ("precision", "recall", "density", "coverage")
SCORES = ("frechet", "kid", *OF_CLASSES, *OF_CLASSIFIERS, *OF_CONDITIONS, *OF_NEIGHBOURS, "copying")
MOST_REAL = 50_000


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
        split: str = "train",
        scores: Sequence[str] | None = None,
        truncation: float | None = None,
        resamples: int = 20,
        **base: Any,
    ):
        super().__init__(**base)
        for name, count in (("samples", samples), ("real", real)):
            if count is not None and (not isinstance(count, int) or count < 2):
                raise ValueError(f"{name} is {count}, it must be 2 or more")
        if split not in ("train", "test"):
            raise ValueError(f"split is '{split}', it must be train or test")
        if truncation is not None and truncation <= 0:
            raise ValueError(f"truncation is {truncation}, it must be positive")
        for score in scores or ():
            if score not in SCORES:
                raise ValueError(f"scores: there is no '{score}'{did_you_mean(score, SCORES)}")
        self.backbone_name, self.weights, self.filter = backbone, weights, resize
        self.samples, self.real, self.split, self.truncation = samples, real, split, truncation
        self.scores = None if scores is None else tuple(scores)
        self.resamples = resamples
        self._backbone: Backbone | None = None
        self._split: GANDataModule | None = None

    def check(self, module: GANModule, data: GANDataModule) -> None:
        if not hasattr(module, "generate"):
            raise UserError(
                f"evaluation: these are scores of samples from noise, which {type(module).__name__} does not make"
            )
        names = ["fid" if self.backbone_name == "tf" else "fd", *(self.scores or SCORES[1:])]
        if self.best is not None and untagged(self.best) not in names:
            raise UserError(f"evaluation.best: '{self.best}' is not measured; there are {', '.join(names)}")
        if self.backbone_name == "dataset":
            check_labelled(data)
        else:
            self.backbone(data)
        real = self.real_data(data)
        if self.real is not None and self.real > len(real):
            raise UserError(f"evaluation.real is {self.real:,}, but the {self.split} split has {len(real):,} samples")
        if min(self.samples, len(real)) <= K_DENSITY:
            raise UserError(
                f"evaluation: {min(self.samples, len(real))} samples are too few for any score; take over {K_DENSITY}"
            )

    def backbone(self, data: GANDataModule) -> Backbone:
        if self._backbone is None:
            if self.backbone_name == "dataset":
                self._backbone = dataset_backbone(data, self.weights, self.filter)
            else:
                self._backbone = named(self.backbone_name, self.weights, self.filter)
        return self._backbone

    def real_data(self, data: GANDataModule) -> GANDataModule:
        if self._split is None:
            self._split = data if self.split == "train" else data.held_out()
        return self._split

    def measure(self, module: GANModule, data: GANDataModule, raw: bool = False) -> Result:
        backbone, reference = self.backbone(data), self.real_data(data)
        count = min(self.real or MOST_REAL, len(reference))
        real = real_features(reference, backbone, count, self.seed, module.device)
        pictures = generated(module, data, self.samples, self.seed, raw, self.truncation, real.labels)
        fake = extract(pictures, backbone, module.device)
        wanted = self.wanted(backbone, fake, bool(module.classes))
        training = real
        if self.split == "test" and "copying" in wanted:
            training = real_features(data, backbone, min(MOST_REAL, len(data)), self.seed, module.device)
        protocol = Protocol(
            backbone=backbone.name,
            weights=backbone.weights[:16],
            resize=backbone.filter,
            features=real.features.shape[1],
            data=reference.content,
            split=self.split,
            real=len(real),
            samples=len(fake),
            quantisation="uint8, again after resizing" if backbone.rounded else "uint8",
            networks="raw" if module.best("generator", raw) is module.networks["generator"] else "ema",
            truncation=self.truncation,
            seed=self.seed,
            neighbours=f"{K_PRECISION} and {K_DENSITY} among {min(len(real), len(fake))}",
        )
        warn_of_bias(real, fake)
        scores = self.score(wanted, real, fake, training)
        frechet = "fid" if backbone.name == "tf" else "fd"
        tagged = {protocol.tag(frechet if name == "frechet" else name): score for name, score in scores.items()}
        return Result(tagged, protocol.plain())

    def wanted(self, backbone: Backbone, fake: Features, conditional: bool) -> tuple[str, ...]:
        """The scores that apply, or those asked for. Raises UserError where one of these does not apply."""
        without = {
            *(() if fake.probabilities is not None else OF_CLASSIFIERS),
            *(() if backbone.knows_classes else (*OF_CLASSES, "class_accuracy")),
            *(() if conditional else OF_CONDITIONS),
        }
        applies = [score for score in SCORES if score not in without]
        for score in self.scores or ():
            if score not in applies:
                raise UserError(
                    f"evaluation.scores: '{score}' does not apply to this family with the backbone {backbone.name}; "
                    f"there are {', '.join(applies)}"
                )
        return self.scores or tuple(applies)

    def score(self, wanted: Sequence[str], real: Features, fake: Features, training: Features) -> dict[str, Score]:
        """Each wanted score by its plain name; `training` is what samples may be copies of."""
        generator = torch.Generator().manual_seed(self.seed)
        scores: dict[str, Score] = {}

        def bootstrapped(statistic: Callable[[Features], float], better: str) -> Score:
            error = standard_error(lambda rows: statistic(fake.at(rows)), len(fake), self.resamples, generator)
            return Score(statistic(fake), better, error)

        if "frechet" in wanted:
            target = moments(real.features)
            scores["frechet"] = bootstrapped(lambda f: frechet_distance(*target, *moments(f.features)), "lower")
        if "kid" in wanted:
            value, error = kernel_distance(real.features, fake.features, generator)
            scores["kid"] = Score(value, "lower", error)
        if set(OF_NEIGHBOURS) & set(wanted):
            n = min(len(real), len(fake))  # the scores depend on how dense each side is: equally many
            parts = overlap(real.features[:n], fake.features[:n])
            for name in OF_NEIGHBOURS:
                if name in wanted:
                    value, error = mean_and_error(getattr(parts, name))
                    scores[name] = Score(value, "higher", error)
        if "copying" in wanted:
            scores["copying"] = copying(real, fake, training)
        if "is" in wanted:
            scores["is"] = bootstrapped(lambda f: inception_score(f.probabilities), "higher")
        if "mode" in wanted:
            scores["mode"] = bootstrapped(lambda f: mode_score(f.probabilities, real.probabilities), "higher")
        if set(OF_CLASSES) & set(wanted):
            true = shares(real.probabilities)  # the same classifier's opinion: its mistakes are on both sides
            by_name: dict[str, tuple[Callable[[Features], float], str]] = {
                "kl": (lambda f: divergence(shares(f.probabilities), true).item(), "lower"),
                "js": (lambda f: jensen_shannon(shares(f.probabilities), true).item(), "lower"),
                "classes": (lambda f: float(found(shares(f.probabilities), true)), "higher"),
                "sure": (lambda f: sure_share(f.probabilities), "higher"),
            }
            scores |= {name: bootstrapped(*by_name[name]) for name in OF_CLASSES if name in wanted}
        if "intra" in wanted:
            scores["intra"] = bootstrapped(lambda f: mean_intra_class(real, f), "lower")
        if "class_accuracy" in wanted:
            scores["class_accuracy"] = bootstrapped(lambda f: accuracy(f.probabilities, f.labels), "higher")
        return {name: scores[name] for name in wanted}


def copying(real: Features, fake: Features, training: Features) -> Score:
    """How far samples are from the nearest training picture, over how far other real pictures are from theirs.

    About 1 where samples are as new as real pictures, near 0 where they are copies, above 1 where they are unlike all.
    """
    to_training, _ = nearest(fake.features, training.features)
    usual, _ = nearest(real.features, training.features, itself=training is real)
    ratios = to_training / usual.mean().clamp_min(torch.finfo(torch.float64).tiny)
    value, error = mean_and_error(ratios)
    return Score(value, "near 1", error)


def mean_intra_class(real: Features, fake: Features) -> float:
    distances = intra_class(real.features, real.labels, fake.features, fake.labels)
    if not distances:
        raise UserError("evaluation.samples: too few for two of any class; take more")
    return sum(distances.values()) / len(distances)


def warn_of_bias(real: Features, fake: Features) -> None:
    n, d = min(len(real), len(fake)), real.features.shape[1]
    if n <= d:
        print(
            f"warning: {n:,} samples for {d:,} features: the Frechet distance is biased upwards and to be compared at "
            f"this very count alone; take over {d:,}",
            file=sys.stderr,
            flush=True,
        )
