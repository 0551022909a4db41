"""Scores of faces in other ages: is it still the same face, and does it look the age asked for."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.module import GANDataModule
from gantrain.errors import UserError
from gantrain.evaluation.base import Evaluation
from gantrain.evaluation.protocol import ema_or_raw
from gantrain.models.inversion import Inversion
from gantrain.models.loop.eval_mode import outputs
from gantrain.run.scores import Result, Score

NAMES = (
    *("identity", "identity_shuffled", "identity_gain"),
    *("aged_identity", "aged_identity_shuffled", "aged_identity_gain"),
    *("age_accuracy", "spread"),
)
CHUNK = 50  # pictures; a face recogniser enlarges them
STRENGTH = 0.003  # scikit-learn's C: features that are many for few photos


class AgeingScores(Evaluation):
    """Identity and age of held-out photos' reconstructions, and of the same faces in every class of age.

    Identity is the cosine of the face embeddings of a photo and of what is made of it; `shuffled` is the mean cosine to
    what is made of the other photos, which one face for every input would reach as well, and `gain` the difference.
    Age is what a balanced logistic regression on the embeddings of the training photos takes the pictures for; how well
    it does on held-out photos stands beside it. `spread` is the mean distance between the pixels of two
    reconstructions over that between two photos. At most `samples` photos; errors are standard errors over them.
    """

    def __init__(self, *, samples: int = 200, **base: Any):
        super().__init__(**base)
        check_whole(2, samples=samples)
        self.samples = samples
        self._judges: dict[Any, Judge] = {}

    def check(self, module: Any, data: GANDataModule) -> None:
        if not isinstance(module, Inversion) or "face" not in module.networks:
            raise UserError(
                "evaluation: these are scores of an encoder of faces; name its stages in evaluation.stages, or take "
                "evaluation=none"
            )
        if len(data.held_out()) < 2:
            raise UserError("data.holdout: one photo held out is too few for scores; hold out more")

    def judge(self, module: Inversion, data: GANDataModule) -> "Judge":
        """Fitted once for all stages with these data and this recogniser."""
        key = (data, module.networks["face"])
        if key not in self._judges:
            self._judges[key] = Judge.fitted(module, data, data.held_out(), self.samples)
        return self._judges[key]

    def names(self, module: Inversion, data: GANDataModule) -> tuple[str, ...]:
        return NAMES

    def measure(self, module: Inversion, data: GANDataModule, raw: bool = False) -> Result:
        judge = self.judge(module, data)
        real, cond = judge.real, judge.cond
        made = rounded(module.in_all_classes(module.encode(real, raw), raw), data)
        again = made[torch.arange(len(real)), cond]
        same = identity(judge.embeddings, embed(module, again))
        ages = [embed(module, made[:, age]) for age in range(module.classes)]
        kept = torch.stack([identity(judge.embeddings, answers) for answers in ages], 1)
        hits = torch.stack([judge.takes_for(answers, age) for age, answers in enumerate(ages)], 1)
        scores = {
            **identity_scores("identity", same[:, None]),
            **identity_scores("aged_identity", kept),
            "age_accuracy": Score.mean(hits.mean(1).tolist(), "higher"),
            "spread": Score((distance(again) / distance(real)).item(), "higher"),
        }
        table = [
            {
                "target age": judge.names[age],
                "identity": round(kept[:, age, 0].mean().item(), 3),
                "shuffled": round(kept[:, age, 1].mean().item(), 3),
                "taken for that age": round(hits[:, age].mean().item(), 3),
                "photos of that age": int((cond == age).sum()),
                "of these taken for it": judge.accuracy(age),
            }
            for age in range(module.classes)
        ]
        protocol = {
            "data": judge.content,
            "samples": len(real),
            "face recogniser": bytes(module.networks["face"].checksum.tolist()).hex()[:16],
            "age classifier": f"balanced logistic regression, C {STRENGTH}, on {len(data)} training photos' embeddings",
            "chance": 1 / module.classes,
            "networks": ema_or_raw(module, "encoder", raw),
        }
        return Result(scores, protocol, {"ageing": table})


@dataclass(frozen=True)
class Judge:
    """A classifier of embeddings by age, and the held-out photos: in their range, class numbers, embeddings, hash."""

    classifier: Any
    real: Tensor
    cond: Tensor
    embeddings: Tensor
    names: list[str]
    content: str

    @classmethod
    def fitted(cls, module: Inversion, data: GANDataModule, held: GANDataModule, samples: int) -> "Judge":
        """A classifier fitted on the photos of `data`, and at most `samples` of those `held` out."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        real, cond = photos(data)
        regression = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
        classifier = make_pipeline(StandardScaler(), regression).fit(embed(module, real).numpy(), cond.numpy())
        real, cond = photos(held, samples)
        names = list(held.source.class_names or map(str, range(module.classes)))
        return cls(classifier, real, cond, embed(module, real), names, held.content)

    def takes_for(self, embeddings: Tensor, age: int) -> Tensor:
        """Whether each picture is taken for that class, (n,) of 0 and 1."""
        return torch.from_numpy(self.classifier.predict(embeddings.numpy()) == age).float()

    def accuracy(self, age: int) -> float | None:
        """The share of the held-out photos of a class that are taken for it; none where there are no such photos."""
        of_it = self.embeddings[self.cond == age]
        return round(self.takes_for(of_it, age).mean().item(), 3) if len(of_it) else None


def photos(data: GANDataModule, count: int | None = None) -> tuple[Tensor, Tensor]:
    """The data's first `count` pictures as they are stored, in their range, and their class numbers (n,)."""
    rows = torch.arange(min(count or len(data), len(data)))
    pixels = torch.from_numpy(data.cached.take(rows.numpy()))
    return data.normalise({"real": pixels})["real"], torch.from_numpy(data.cached.labels[rows.numpy()])


def rounded(images: Tensor, data: GANDataModule) -> Tensor:
    """Pictures as people get them: rounded to 256 levels."""
    return data.normalise({"real": data.pictures(images)})["real"]


def embed(module: Inversion, images: Tensor) -> Tensor:
    """Face embeddings (n, d), on the CPU."""
    return outputs(module.networks["face"], images, device=module.device, chunk=CHUNK)


def identity(of_photos: Tensor, of_made: Tensor) -> Tensor:
    """For each photo the cosine to what is made of it, and the mean cosine to what is made of the others: (n, 2)."""
    cosines = F.normalize(of_photos, dim=1) @ F.normalize(of_made, dim=1).T
    own = cosines.diagonal()
    return torch.stack([own, (cosines.sum(1) - own) / (len(cosines) - 1)], 1)


def identity_scores(name: str, cosines: Tensor) -> dict[str, Score]:
    """The scores of photos' answers by `identity` (n, answers, 2)."""
    own, others = cosines.mean(1).unbind(1)
    return {
        name: Score.mean(own.tolist(), "higher"),
        f"{name}_shuffled": Score.mean(others.tolist(), "lower"),
        f"{name}_gain": Score.mean((own - others).tolist(), "higher"),
    }


def distance(images: Tensor) -> Tensor:
    """The mean Euclidean distance between the pixels of two different pictures."""
    return torch.pdist(images.flatten(1)).mean()
