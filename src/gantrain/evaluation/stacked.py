"""How many of the modes of stacked pictures a generator makes: the protocol of Metz et al. 2017 and Lin et al. 2018."""

import math
from typing import Any

import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.module import GANDataModule
from gantrain.data.stacked import StackedDigits, colours
from gantrain.errors import UserError
from gantrain.evaluation.base import Evaluation
from gantrain.evaluation.classifier import DatasetClassifier, check_labelled, dataset_backbone
from gantrain.evaluation.extraction import generated, stream
from gantrain.evaluation.protocol import ema_or_raw, tagged
from gantrain.models.base import GANModule
from gantrain.run.scores import Result, Score


class StackedModes(Evaluation):
    """How many modes `samples` generated pictures have: a classifier of grey pictures reads each colour as a class.

    A triple of classes is a mode. `modes` are the triples seen at least once, `tenth` those seen at least a tenth as
    often as if all were equally likely, `kl` is KL(seen || uniform) in nats. With other counts of samples all three are
    other numbers, so papers take 26,000 always.

    The table shows the floor: what the same number of real pictures gives, read by the same classifier, which is
    fitted on the held-out pictures and has seen none of them. One run says little: report several seeds.
    """

    split = "train"

    def __init__(self, samples: int = 26_000, **options: Any):
        super().__init__(**options)
        check_whole(1, samples=samples)
        self.samples = samples

    def check(self, module: GANModule, data: GANDataModule) -> None:
        if not isinstance(data, StackedDigits):
            raise UserError("evaluation: these scores are of data=stacked_mnist; choose others, or evaluation=none")
        if module.generate is None:
            raise UserError("evaluation: these are scores of samples from noise; take evaluation=none")
        check_labelled(data.held_out().grey())

    def names(self, module: GANModule, data: GANDataModule) -> list[str]:
        return [tagged(name, self.samples, "dataset") for name in ("modes", "kl", "tenth")]

    def measure(self, module: GANModule, data: StackedDigits, raw: bool = False) -> Result:
        readers = data.held_out().grey()
        classifier = dataset_backbone(readers, None, None).to(module.device)
        kinds = int(readers.cached.labels.max()) + 1
        fakes = (pictures for pictures, _ in generated(module, data, self.samples, self.seed, raw, None, None))
        made = counted(torch.cat([read(classifier, part.to(module.device)) for part in fakes]), kinds)
        reals = (pictures for pictures, _ in stream(data, min(self.samples, len(data)), self.seed))
        truth = counted(torch.cat([read(classifier, part.to(module.device)) for part in reals]), kinds)
        protocol = {
            "backbone": "dataset, fitted on held-out pictures",
            "weights": classifier.weights[:16],
            "data": data.content,
            "samples": self.samples,
            "networks": ema_or_raw(module, "generator", raw),
            "seed": self.seed,
        }
        scores = {
            "modes": Score(float(modes(made)), "higher"),
            "kl": Score(kl_to_uniform(made), "lower"),
            "tenth": Score(float(well_seen(made)), "higher"),
        }
        floor = {"modes": modes(truth), "kl": f"{kl_to_uniform(truth):.3g}", "tenth": well_seen(truth)}
        table = {f"the floor: {int(truth.sum()):,} real pictures in the place of samples": [floor]}
        return Result({tagged(name, self.samples, "dataset"): score for name, score in scores.items()}, protocol, table)


def read(classifier: DatasetClassifier, pictures: Tensor) -> Tensor:
    """The classes (n, 3) of the colours of pictures (n, 3, h, w) uint8."""
    with torch.no_grad():
        _, logits = classifier(colours(pictures))
    return logits.argmax(1).view(-1, 3).cpu()


def counted(triples: Tensor, kinds: int) -> Tensor:
    """How often each triple of classes (n, 3) occurs, (kinds^3,)."""
    places = torch.tensor([kinds**2, kinds, 1])
    return torch.bincount((triples * places).sum(1), minlength=kinds**3)


def modes(counts: Tensor) -> int:
    return int((counts > 0).sum())


def well_seen(counts: Tensor) -> int:
    """The modes that have at least a tenth of the share they would have if all were equally likely."""
    return int((counts >= 0.1 * counts.sum() / len(counts)).sum())


def kl_to_uniform(counts: Tensor) -> float:
    """KL(seen || uniform) in nats: 0 at best, log of the number of modes where one is all there is."""
    shares = counts.double() / counts.sum()
    return float(torch.special.xlogy(shares, shares).sum()) + math.log(len(counts))
