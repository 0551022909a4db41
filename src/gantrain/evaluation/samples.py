"""Scores of a generator's samples: Frechet and kernel distance, precision and recall, classes, copying."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import torch

from gantrain.checks import check_whole
from gantrain.data.module import GANDataModule
from gantrain.errors import UserError, did_you_mean
from gantrain.evaluation.backbones import Backbone, named
from gantrain.evaluation.base import Evaluation
from gantrain.evaluation.classifier import check_labelled, dataset_backbone
from gantrain.evaluation.extraction import Features, extract, generated, real_features, real_parts
from gantrain.evaluation.measures.bootstrap import mean_and_error, standard_error
from gantrain.evaluation.measures.classes import (
    accuracy,
    divergence,
    found,
    inception_score,
    jensen_shannon,
    mode_score,
    shares,
    sure_share,
)
from gantrain.evaluation.measures.frechet import frechet_distance, intra_class, moments
from gantrain.evaluation.measures.kernel import kernel_distance
from gantrain.evaluation.measures.neighbours import K_DENSITY, K_PRECISION, nearest, overlap
from gantrain.evaluation.protocol import Protocol, tagged
from gantrain.models.base import GANModule
from gantrain.run.scores import Result, Score

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
        split: Literal["train", "test"] = "train",
        scores: Sequence[str] | None = None,
        truncation: float | None = None,
        resamples: int = 20,
        **base: Any,
    ):
        super().__init__(**base)
        check_whole(2, samples=samples, real=real)
        check_whole(0, resamples=resamples)
        if truncation is not None and truncation <= 0:
            raise ValueError(f"truncation is {truncation}, it must be positive")
        for score in scores or ():
            if score not in SCORES:
                raise ValueError(
                    f"scores: there is no '{score}'{did_you_mean(score, SCORES)}; there are {', '.join(SCORES)}"
                )
        self.backbone_name, self.weights, self.filter = backbone, weights, resize
        self.samples, self.real, self.split, self.truncation = samples, real, split, truncation
        self.scores = None if scores is None else tuple(scores)
        self.resamples = resamples
        self._backbones: dict[GANDataModule, Backbone] = {}
        self._classifies: dict[GANDataModule, bool] = {}

    def check(self, module: GANModule, data: GANDataModule) -> None:
        if not hasattr(module, "generate"):
            raise UserError(
                f"evaluation: these are scores of samples from noise, which {type(module).__name__} does not make; use "
                f"evaluation=pairs where the data are aligned pairs, else evaluation=none"
            )
        if self.backbone_name == "dataset":
            check_labelled(data)
        self.wanted(module, data)
        real = self.real_data(data)
        if self.real is not None and self.real > len(real):
            raise UserError(f"evaluation.real is {self.real:,}, but the {self.split} split has {len(real):,} samples")
        if min(self.samples, len(real)) <= K_DENSITY:
            raise UserError(
                f"evaluation: {min(self.samples, len(real))} samples are too few for any score; take over {K_DENSITY}"
            )

    def names(self, module: GANModule, data: GANDataModule) -> list[str]:
        backbone = "dataset" if self.backbone_name == "dataset" else self.backbone(data).name
        return [self.name_of(score, backbone) for score in self.wanted(module, data)]

    def name_of(self, score: str, backbone: str) -> str:
        """The name of one of SCORES in results."""
        frechet = "fid" if backbone == "tf" else "fd"
        return tagged(frechet if score == "frechet" else score, self.samples, backbone)

    def backbone(self, data: GANDataModule) -> Backbone:
        if data not in self._backbones:
            if self.backbone_name == "dataset":
                self._backbones[data] = dataset_backbone(data, self.weights, self.filter)
            else:
                one = next(iter(self._backbones.values()), None)  # the same for all data
                self._backbones[data] = one or named(self.backbone_name, self.weights, self.filter)
        return self._backbones[data]

    def real_data(self, data: GANDataModule) -> GANDataModule:
        return data if self.split == "train" else data.held_out()

    def measure(self, module: GANModule, data: GANDataModule, raw: bool = False) -> Result:
        wanted, backbone, reference = self.wanted(module, data), self.backbone(data), self.real_data(data)
        count = min(self.real or MOST_REAL, len(reference))
        real = real_features(reference, backbone, count, self.seed, module.device)
        pictures = generated(module, data, self.samples, self.seed, raw, self.truncation, real.labels)
        fake = extract(pictures, backbone, module.device)
        training = real_parts(data, backbone, len(data), self.seed, module.device)
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
        return Result({self.name_of(name, backbone.name): score for name, score in scores.items()}, protocol.plain())

    def wanted(self, module: GANModule, data: GANDataModule) -> tuple[str, ...]:
        """The scores that apply, or those asked for. Raises UserError where one of these does not apply."""
        own = self.backbone_name == "dataset"  # it is fitted only once something is measured
        without = {
            *(() if own or self.classifies(data) else OF_CLASSIFIERS),
            *(() if own else (*OF_CLASSES, "class_accuracy")),
            *(() if module.classes else OF_CONDITIONS),
        }
        applies = [score for score in SCORES if score not in without]
        for score in self.scores or ():
            if score not in applies:
                raise UserError(
                    f"evaluation.scores: '{score}' does not apply to this family with the backbone "
                    f"{self.backbone_name}; "
                    f"there are {', '.join(applies)}"
                )
        return self.scores or tuple(applies)

    def classifies(self, data: GANDataModule) -> bool:
        """Whether the backbone has an opinion of classes: it is asked about two pictures."""
        if data not in self._classifies:
            with torch.no_grad():
                _, logits = self.backbone(data)(data.pictures(data.examples(2)["real"]))
            self._classifies[data] = logits is not None
        return self._classifies[data]

    def score(
        self, wanted: Sequence[str], real: Features, fake: Features, training: Iterable[Features]
    ) -> dict[str, Score]:
        """Each wanted score by its plain name; `training`, in parts, is what samples may be copies of.

        Where `split` is train, `real` are the first of it.
        """
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
            scores["copying"] = copying(real, fake, training, self.split == "train")
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


def copying(real: Features, fake: Features, training: Iterable[Features], among: bool) -> Score:
    """How far samples are from the nearest training picture, over how far other real pictures are from theirs.

    About 1 where samples are as new as real pictures, near 0 where they are copies, above 1 where they are unlike all.
    `training` comes a part at a time; with `among` the real pictures are the first of it.
    """
    to_training, usual = (torch.full((len(side),), torch.inf, dtype=torch.float64) for side in (fake, real))
    row = 0
    for part in training:
        own = torch.arange(len(real)) - row if among else None
        usual = usual.minimum(nearest(real.features, part.features, own)[0])
        to_training = to_training.minimum(nearest(fake.features, part.features)[0])
        row += len(part)
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
