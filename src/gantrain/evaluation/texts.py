"""Whether texts and pictures agree: the right caption among others, cosine; and how like real ones pictures are."""

import functools
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from gantrain.checks import check_whole
from gantrain.data.batch import Batch
from gantrain.data.captioned import CaptionedPictures
from gantrain.drawing.progress import track
from gantrain.errors import UserError, tell
from gantrain.evaluation.backbones import Backbone, named
from gantrain.evaluation.base import Evaluation
from gantrain.evaluation.extraction import extract, real_features
from gantrain.evaluation.measures.bootstrap import standard_error
from gantrain.evaluation.measures.frechet import frechet_distance
from gantrain.evaluation.protocol import ema_or_raw, frechet_name, tagged
from gantrain.models.base import GANModule
from gantrain.models.joint import JointEmbedding, alike
from gantrain.models.loop.eval_mode import outputs
from gantrain.models.text_image import TextToImage
from gantrain.run.scores import Result, Score

CHUNK = 250
RESAMPLES = 20  # of the bootstrap
NEAR_CHANCE = 3  # times chance: below it a text stage has learnt next to nothing


class TextScores(Evaluation):
    """Scores of at most `samples` held-out captions (null is all) with a picture each, by the run's own encoders.

    `recall` is how often a picture's own caption agrees with it most among `among`, the others being of other groups;
    `agreement` the cosine of a picture's and its caption's embeddings, `agreement_shuffled` that with another's. Of the
    text stage they are of real pictures; of later stages of made ones, with `recall_real` and `agreement_real` beside
    them. The encoders are frozen then and no loss asks the eye, so it judges as a stranger does. The Frechet distance
    is of made pictures from the real ones with the same captions, by the features of `backbone`.

    Without a network `eye` the distance is all there is. Near chance a warning is told.
    """

    split = "test"

    def __init__(
        self,
        *,
        among: int = 50,
        samples: int | None = 1000,
        backbone: str = "random",
        weights: str | None = None,
        resize: str | None = None,
        **base: Any,
    ):
        super().__init__(**base)
        check_whole(2, among=among, samples=samples)
        if backbone == "dataset":
            raise ValueError("backbone dataset needs classes; take random, tf or a classifier of torchvision")
        self.among, self.samples = among, samples
        self.backbone, self.weights, self.resize = backbone, weights, resize

    def check(self, module: GANModule, data: Any) -> None:
        if not isinstance(module, (JointEmbedding, TextToImage)) or not isinstance(data, CaptionedPictures):
            raise UserError(
                "evaluation: texts measures runs of texts and pictures, which this is not; choose another, or "
                "evaluation=none"
            )
        if len(set(self.reference(data).captions.groups.tolist())) < 2:
            raise UserError(
                "data.holdout: scores compare held-out captions, which must be of two pictures (or classes) at least; "
                "hold out more, or take evaluation=none"
            )
        if isinstance(module, TextToImage):
            _ = self.named  # its weights are there, or are missed now

    @functools.cached_property
    def named(self) -> Backbone:
        """Loaded when it is first asked for. Raises UserError."""
        return named(self.backbone, self.weights, self.resize)

    def names(self, module: GANModule, data: Any) -> list[str]:
        judged = ["recall", "agreement", "agreement_shuffled"] if "eye" in module.networks else []
        if isinstance(module, JointEmbedding):
            return judged
        real = ["recall_real", "agreement_real"] if judged else []
        return [*judged, *real, self.distance_name(self.count(data.held_out()))]

    def count(self, held_out: CaptionedPictures) -> int:
        return min(len(held_out), self.samples or len(held_out))

    def distance_name(self, count: int) -> str:
        return tagged(frechet_name(self.backbone), count, self.named.name)

    def measure(self, module: Any, data: CaptionedPictures, raw: bool = False) -> Result:
        held_out = self.reference(data)
        batch = drawn(held_out, self.count(held_out), self.seed)
        others = others_of(batch)
        among = min(self.among, 1 + int(others.sum(1).min()))  # of few pictures there are few captions
        texts = outputs(module.averaged("text", raw), batch["text"], device=module.device, chunk=CHUNK)
        makes = isinstance(module, TextToImage)
        pictures = {"": batch["real"]}
        if makes:
            latents = module.latents(len(texts), torch.Generator().manual_seed(self.seed))
            pictures = {"": module.generate(latents, texts, raw), "_real": batch["real"]}
        scores: dict[str, Score] = {}
        for suffix, shown_pictures in pictures.items() if "eye" in module.networks else ():
            seen = outputs(module.averaged("eye", raw), shown_pictures, device=module.device, chunk=CHUNK)
            found = agreeing(texts, seen, others, among, self.seed)
            scores |= {f"{name}{suffix}": score for name, score in found.items()}
        if makes:
            scores[self.distance_name(len(texts))] = self.distance(held_out, pictures[""], module)
        if "recall" in scores:
            warn_near_chance(scores["recall"].value, among, makes)
        protocol = {
            "split": "held out",
            "captions": len(texts),
            "among": among,
            "chance": round(1 / among, 4),
            "data": held_out.content,
            "backbone": self.named.name if makes else None,
            "weights": self.named.weights[:16] if makes else None,
            "networks": ema_or_raw(module, module.generator_name if makes else "text", raw),
            "seed": self.seed,
        }
        return Result({name: scores[name] for name in self.names(module, data)}, protocol)

    def distance(self, held_out: CaptionedPictures, made: Tensor, module: GANModule) -> Score:
        """The Frechet distance of made pictures from the held-out ones."""
        backbone, count = self.named, len(made)
        real = real_features(held_out, backbone, count, self.seed, module.device)
        fake = extract(((held_out.pictures(p), None) for p in made.split(CHUNK)), backbone, module.device)

        def of(rows: Tensor | slice) -> Tensor:
            return frechet_distance(*real.moments, *fake.at(rows).moments, real.root)

        generator = torch.Generator().manual_seed(self.seed)
        error = standard_error(of, count, RESAMPLES, generator)
        return Score(of(slice(None)).item(), "lower", error.item())


def drawn(data: CaptionedPictures, count: int, seed: int) -> Batch:
    """`count` samples, each with one of its captions, drawn by the seed."""
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))[:count].split(CHUNK)
    batches = [data.take(part.numpy()) for part in track(rows, len(rows), "parts of the captions")]
    return {key: torch.cat([batch[key] for batch in batches]) for key in ("text", "group", "real")}


def others_of(batch: Batch) -> Tensor:
    """Which captions (n, n) are wrong for each picture: of another group, and no caption of its own."""
    return ~(alike(batch) | torch.eye(len(batch["group"]), dtype=torch.bool))


def agreeing(texts: Tensor, pictures: Tensor, others: Tensor, among: int, seed: int) -> dict[str, Score]:
    """Recall and agreement of embeddings (n, d), the i-th text being the i-th picture's; `others` (n, n) are wrong."""
    texts, pictures = (normalize(side.float(), dim=1) for side in (texts, pictures))
    cosine = pictures @ texts.T
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(others.shape, generator=generator).masked_fill(~others, -1).topk(among - 1, dim=1).indices
    own, wrong = cosine.diagonal(), cosine.gather(1, drawn)
    values = {
        "recall": (own[:, None] > wrong).all(1).float(),
        "agreement": own,
        "agreement_shuffled": wrong[:, 0],
    }
    return {
        name: Score.mean(found.tolist(), "lower" if name == "agreement_shuffled" else "higher")
        for name, found in values.items()
    }


def warn_near_chance(recall: float, among: int, made: bool) -> None:
    """Say where a stage has learnt next to nothing of what texts mean: what comes after would not either."""
    if recall >= NEAR_CHANCE / among:
        return
    chance = f"for {recall:.1%} of held-out captions, chance is {1 / among:.0%}"
    if made:
        tell(f"made pictures do not follow their texts: the right one of {among} agrees most {chance}. Train longer")
    else:
        tell(
            f"the text encoder finds the right caption of {among} {chance}: later stages would not learn what texts "
            f"mean. Train the text stage longer (stages.text.iterations), or look whether captions say what is to be "
            f"seen (`gantrain data`)"
        )
