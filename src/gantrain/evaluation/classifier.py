"""The backbone `dataset`: a small classifier fitted on the labelled training split; it knows the data's own classes."""

import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from gantrain.data.module import GANDataModule
from gantrain.drawing.progress import track
from gantrain.errors import UserError
from gantrain.evaluation.backbones import Backbone, hash_of, unfit
from gantrain.evaluation.extraction import stream
from gantrain.evaluation.kept import kept
from gantrain.evaluation.measures.resize import resized_bytes
from gantrain.files import sha256
from gantrain.networks.weights import read_state

VERSION = 1  # raise it when fitting would give other weights
SIDE = 32  # larger pictures are reduced to it
FEATURES = 64
BATCH = 128
STEPS = 1200  # of 128 pictures: two and a half epochs of MNIST
PASSES = 30  # at most so many over a small set
MOST_FITTED = 60_000  # pictures it is fitted on
HELD_BACK = 10  # every tenth picture is not fitted on and says how good the classifier is
POOR = 0.8


class Classifier(nn.Module):
    """Three convolutions, 64 features, a linear layer; for pictures of 8 to 32 pixels."""

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.convolutions = nn.Sequential(
            *(nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(2)),
        )
        # Features of unit variance on real pictures, so that distances mean the same for every data set.
        self.embed = nn.Sequential(nn.Linear(4 * 64, FEATURES), nn.BatchNorm1d(FEATURES, affine=False))
        self.classify = nn.Linear(FEATURES, classes)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        features = self.embed(self.convolutions(pictures).flatten(1))
        return features, self.classify(functional.relu(features))


class DatasetClassifier(Backbone):
    """`dataset`: features and classes of `Classifier` around weights that were fitted or come from a file."""

    def __init__(self, classifier: Classifier, weights: str, side: int, filter: str):
        super().__init__()
        self.name, self.weights, self.filter, self.side = "dataset", weights, filter, side
        self.network = classifier.eval()
        self.rounded = filter != "none"

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        return self.network(_scaled(_reduced(pictures, self.side, self.filter)))


def dataset_backbone(
    data: GANDataModule, weights: str | None = None, filter: str | None = None, passes: int = PASSES
) -> DatasetClassifier:
    """The classifier of this data set: from `weights`, from the cache, or fitted now, in at most so many `passes` over
    it. Raises UserError."""
    check_labelled(data)
    _, channels, _, side = data.pictures(data.examples(1)["real"]).shape
    seen, how = min(side, SIDE), (filter or "antialias") if side > SIDE else "none"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        classifier = Classifier(channels, int(data.cached.labels.max()) + 1)
    if weights is not None:
        file = Path(weights).expanduser()
        if not file.is_file():
            raise UserError(f"evaluation.weights: there is no file {file}; null fits a classifier")
        try:
            classifier.load_state_dict(read_state(file, "evaluation.weights"))
        except RuntimeError as error:
            raise unfit(file, "this data set's classifier", error) from error
        return DatasetClassifier(classifier, sha256(file), seen, how)
    content = (VERSION, STEPS, passes, data.content, data.cached.labels.tobytes(), seen, how)
    classifier.load_state_dict(kept(data, "classifiers", content, lambda: fit(classifier, data, seen, how, passes)))
    return DatasetClassifier(classifier, hash_of(classifier), seen, how)


def check_labelled(data: GANDataModule) -> None:
    """Raise UserError where the data have no classes to fit on."""
    if data.cached.labels is None or len(set(data.cached.labels.tolist())) < 2:
        raise UserError(
            "evaluation.backbone=dataset fits a classifier, but the data have no classes; use evaluation.backbone=tf, "
            "a network of torchvision, a TorchScript file or random"
        )


def fit(classifier: Classifier, data: GANDataModule, side: int, filter: str, passes: int = PASSES) -> dict[str, Tensor]:
    """Weights fitted on nine tenths of the data, the same way every time; tells the accuracy on the last tenth."""
    print("fitting a classifier on the data", file=sys.stderr, flush=True)
    pictures, labels = _all(data, side, filter)
    held = torch.arange(len(labels)) % HELD_BACK == 0
    rows = (~held).nonzero().flatten()
    steps = min(STEPS, -(-passes * len(rows) // BATCH))
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(classifier.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    classifier.train()
    with torch.enable_grad():
        for _ in track(range(steps), steps, "steps of the classifier"):
            batch = rows[torch.randint(len(rows), (BATCH,), generator=generator)]
            _, logits = classifier(_scaled(pictures[batch]))
            loss = functional.cross_entropy(logits, labels[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
    classifier.eval()
    with torch.no_grad():
        guesses = [classifier(_scaled(part))[1].argmax(1) for part in pictures[held].split(1000)]
    right = torch.cat(guesses) == labels[held]
    accuracy = right.double().mean().item()
    print(f"it is right about {accuracy:.1%} of {len(right):,} pictures it was not fitted on", file=sys.stderr)
    if accuracy < POOR:
        doubt = "it can hardly tell the classes apart; its scores say little about single classes"
        print(f"warning: {doubt}", file=sys.stderr)
    return classifier.state_dict()


def _all(data: GANDataModule, side: int, filter: str) -> tuple[Tensor, Tensor]:
    """Pictures (n, c, side, side) uint8 and labels (n,) in one order, whatever the run's seed."""
    pictures, labels = zip(*stream(data, min(len(data), MOST_FITTED), seed=0), strict=True)
    return torch.cat([_reduced(part, side, filter) for part in pictures]), torch.cat(labels)


def _reduced(pictures: Tensor, side: int, filter: str) -> Tensor:
    return pictures if filter == "none" else resized_bytes(pictures, side, filter)


def _scaled(pictures: Tensor) -> Tensor:
    return pictures.float() / 127.5 - 1
