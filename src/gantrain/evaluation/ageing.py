"""Scores of faces in other ages: is it still the same face, and does it look the age asked for."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.checks import check_whole
from gantrain.data.module import GANDataModule
from gantrain.drawing.progress import track
from gantrain.errors import UserError
from gantrain.evaluation.base import Evaluation
from gantrain.evaluation.kept import Tensors, kept
from gantrain.evaluation.protocol import ema_or_raw
from gantrain.models.inversion import Inversion
from gantrain.models.loop.eval_mode import outputs
from gantrain.networks.face import FaceEmbedder
from gantrain.run.scores import Result, Score

NAMES = (
    *("identity", "identity_shuffled", "identity_gain"),
    *("aged_identity", "aged_identity_shuffled", "aged_identity_gain"),
    *("age_accuracy", "spread"),
)
CHUNK = 50  # pictures; a face recogniser enlarges them
PART = 20 * CHUNK  # photos that are held at once
STRENGTH = 0.003  # scikit-learn's C: features that are many for few photos


class Recogniser(FaceEmbedder):
    """A recogniser that only judges."""

    key = "evaluation.judge"
    ways = "evaluation.judge=FILE names the TorchScript file of a face recogniser, null takes the run's own"
    no_file = None


class AgeingScores(Evaluation):
    """Identity and age of held-out photos' reconstructions, and of the same faces in every class of age.

    Identity is the cosine of the face embeddings of a photo and of what is made of it; `shuffled` is the mean cosine to
    what is made of the other photos, which one face for every input would reach as well, and `gain` the difference.
    Age is what a balanced logistic regression on the embeddings of the training photos takes the pictures for; how well
    it does on held-out photos stands beside it. `spread` is the mean distance between the pixels of two
    reconstructions over that between two photos. At most `samples` photos; errors are standard errors over them.

    `judge` is the TorchScript file of a recogniser that training did not know. Without it the run's own one judges, and
    the protocol says so: a stage that minimises its distances finds what pleases it.
    """

    def __init__(self, *, judge: str | None = None, samples: int = 200, **base: Any):
        super().__init__(**base)
        check_whole(2, samples=samples)
        self.file, self.samples = judge, samples
        self._other: Recogniser | None = None
        self._judges: dict[Any, Judge] = {}

    def check(self, module: Any, data: GANDataModule) -> None:
        if not isinstance(module, Inversion) or "face" not in module.networks:
            raise UserError(
                "evaluation: these are scores of an encoder of faces; name its stages in evaluation.stages, or take "
                "evaluation=none"
            )
        if len(self.reference(data)) < 2:
            raise UserError("data.holdout: one photo held out is too few for scores; hold out more")
        if self.file is not None:
            embed(
                self.recogniser(module, data), data.examples(2)["real"], torch.device("cpu")
            )  # its mistakes come early

    def recogniser(self, module: Inversion, data: GANDataModule) -> FaceEmbedder:
        """The network whose embeddings are judged by."""
        if self.file is None:
            return module.networks["face"]
        if self._other is None:
            self._other = Recogniser(self.file, range=data.range)
        return self._other

    def judge(self, module: Inversion, data: GANDataModule) -> "Judge":
        """Fitted once for all stages with these data and this recogniser."""
        face = self.recogniser(module, data)
        if (data, face) not in self._judges:
            self._judges[data, face] = Judge(face, module.device, data, self.reference(data), self.samples)
        return self._judges[data, face]

    def names(self, module: Inversion, data: GANDataModule) -> tuple[str, ...]:
        return NAMES

    def measure(self, module: Inversion, data: GANDataModule, raw: bool = False) -> Result:
        judge, held = self.judge(module, data), self.reference(data)
        real, cond = judge.real, judge.cond
        made = module.in_all_classes(module.encode(real, raw), raw)
        made = data.to_range(data.pictures(made))  # as people get them: rounded to 256 levels
        again = made[torch.arange(len(real)), cond]
        same = identity(judge.embeddings, judge.embed(again))
        told = track(range(module.classes), module.classes, "ages judged")
        aged = [judge.embed(made[:, age]) for age in told]
        in_ages = torch.stack([identity(judge.embeddings, faces) for faces in aged], 1)
        hits = torch.stack([judge.class_of(faces) == age for age, faces in enumerate(aged)], 1).float()
        taken = judge.class_of(judge.embeddings)
        scores = {
            **identity_scores("identity", same[:, None]),
            **identity_scores("aged_identity", in_ages),
            "age_accuracy": Score.mean(hits.mean(1).tolist(), "higher"),
            "spread": Score((distance(again) / distance(real)).item(), "higher"),
        }
        own = torch.equal(judge.face.checksum.cpu(), module.networks["face"].checksum.cpu())
        protocol = {
            "data": held.content,
            "samples": len(real),
            "face recogniser": bytes(judge.face.checksum.tolist()).hex()[:16],
            "judge": "the run's own recogniser, which its last stage minimises" if own else "another recogniser",
            "age classifier": f"balanced logistic regression, C {STRENGTH}, on {len(data)} training photos' embeddings",
            "chance": 1 / module.classes,
            "networks": ema_or_raw(module, "encoder", raw),
        }
        names = held.source.class_names or [str(age) for age in range(module.classes)]
        table = [row(name, age, in_ages, hits, taken, cond) for age, name in enumerate(names)]
        return Result(scores, protocol, {"ageing": table})


def row(name: str, age: int, identities: Tensor, hits: Tensor, taken: Tensor, cond: Tensor) -> dict[str, Any]:
    """The table's row of one class of age: the pictures made in it, and the photos of it.

    Of each photo (n): its `identities` (n, ages, 2) and `hits` (n, ages) in every class, the class that it is `taken`
    for, and its own, `cond`.
    """
    return {
        "target age": name,
        "identity": share(identities[:, age, 0]),
        "shuffled": share(identities[:, age, 1]),
        "taken for that age": share(hits[:, age]),
        "photos of that age": int((cond == age).sum()),
        "of these taken for it": share(taken[cond == age] == age),
    }


class Judge:
    """A classifier of embeddings by age, fitted on the photos of `data`, and at most `samples` of those `held` out."""

    def __init__(
        self, face: FaceEmbedder, device: torch.device, data: GANDataModule, held: GANDataModule, samples: int
    ):
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.face, self.device = face, device
        self.real, self.cond = photos(held, 0, samples)
        self.embeddings = self.embed(self.real)
        starts = range(0, len(data), PART)
        parts = [self.learnt(data, start) for start in track(starts, len(starts), "parts of the training photos")]
        regression = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
        self.classifier = make_pipeline(StandardScaler(), regression)
        self.classifier.fit(*(torch.cat([part[key] for part in parts]).numpy() for key in ("embeddings", "ages")))

    def embed(self, images: Tensor) -> Tensor:
        return embed(self.face, images, self.device)

    def learnt(self, data: GANDataModule, start: int) -> Tensors:
        """Embeddings and ages of PART photos of training, kept on disk; all photos in float32 may be 9 GB."""

        def made() -> Tensors:
            images, cond = photos(data, start, PART)
            return {"embeddings": self.embed(images), "ages": cond}

        face = self.face  # it has answered before: its file's checksum is known
        seen = (face.checksum.tolist(), face.model, face.size, face.range, face.mean, face.deviation)
        return kept(data, "features", ("faces", data.content, seen, start, PART, self.device.type), made)

    def class_of(self, embeddings: Tensor) -> Tensor:
        """The class number (n,) that each picture is taken for."""
        return torch.from_numpy(self.classifier.predict(embeddings.numpy()))


def photos(data: GANDataModule, start: int, count: int) -> tuple[Tensor, Tensor]:
    """At most `count` pictures from `start` on as they are stored, in their range, and their class numbers (n,)."""
    batch = data.take(np.arange(start, min(start + count, len(data))))
    return batch["real"], batch["cond"]


def embed(face: nn.Module, images: Tensor, device: torch.device) -> Tensor:
    """Face embeddings (n, d), on the CPU."""
    return outputs(face, images, device=device, chunk=CHUNK)


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


def share(values: Tensor) -> float | None:
    """A mean as tables show it; none of no values."""
    return round(values.float().mean().item(), 3) if len(values) else None
