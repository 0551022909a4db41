"""Networks that give the features of scores: Inception, torchvision's, any TorchScript file, random convolutions."""

import hashlib
import itertools
import re
import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn

from gantrain.errors import UserError, did_you_mean
from gantrain.evaluation.measures.resize import resize, resized_bytes
from gantrain.files import TORCHSCRIPT, sha256
from gantrain.networks import torchscript
from gantrain.networks.frozen import IMAGENET, Frozen
from gantrain.networks.weights import read_state

NAME_IT = "elsewhere and name it with evaluation.weights=FILE, or --weights FILE"


class Backbone(Frozen):
    """Pictures (n, 1 or 3, h, w) uint8 to features (n, d) and, where it classifies, logits (n, classes) or else None.

    `name` is what tags say, `weights` the sha256 of its weights, `filter` how pictures reach its size, `rounded`
    whether they are rounded again after that.
    """

    key = "evaluation.weights"
    no_file = None  # its library downloads the weights
    weights = ""
    rounded = False

    def __init__(self, name: str = "", path: str | None = None, filter: str = "none"):
        super().__init__()
        self.name, self.path, self.filter = name, path, filter

    def load(self) -> None:
        try:
            super().load()
        except OSError as error:
            raise UserError(f"{self.key}: {self.name}'s weights cannot be downloaded ({error}); {self.ways}") from error
        except RuntimeError as error:
            raise unfit(self.find(), self.name, error) from error
        self.weights = sha256(file) if (file := self.find()) else hash_of(self._held[0])


class Inception(Backbone):
    """TensorFlow's Inception of 2015, by which FID is defined, from torch-fidelity: 2,048 features, 1,008 logits."""

    side = 299
    ways = f"fetch torch-fidelity's weights-inception-2015-12-05-6726825d.pth {NAME_IT}"

    @property
    def rounded(self) -> bool:
        return self.filter != "tf1"  # torch-fidelity takes bytes and resizes by itself as TensorFlow did

    def network_of(self, file: Path | None) -> nn.Module:
        try:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        except ImportError as error:
            raise UserError(
                "evaluation.backbone=tf needs torch-fidelity: pip install 'gantrain[fid]'; dataset, random and "
                "torchvision's networks need nothing"
            ) from error
        layers = ["2048", "logits_unbiased"]
        if file is None:
            return FeatureExtractorInceptionV3("inception", layers)
        with tempfile.TemporaryDirectory() as folder:  # it reads files with pickle: only one that we wrote
            safe = Path(folder) / "weights.pth"
            torch.save(read_state(file, self.key), safe)
            return FeatureExtractorInceptionV3("inception", layers, str(safe))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        pictures = pictures.expand(-1, 3, -1, -1)
        return self.answer(resized_bytes(pictures, self.side, self.filter) if self.rounded else pictures)


class Torchvision(Backbone):
    """An ImageNet classifier of torchvision: what enters its last linear layer, and its logits."""

    side = 224
    ways = f"fetch torchvision's file {NAME_IT}"
    statistics = IMAGENET

    def network_of(self, file: Path | None) -> nn.Module:
        from torchvision import models

        network = models.get_model(self.name, weights="DEFAULT" if file is None else None)
        if file is not None:
            network.load_state_dict(read_state(file, self.key))
        last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
        last.register_forward_hook(lambda module, inputs, logits: (inputs[0].flatten(1), logits))
        return network

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        return self.answer(resize(pictures.expand(-1, 3, -1, -1), self.side, self.filter).clamp(0, 255) / 255)


class TorchScript(Backbone):
    """A TorchScript file that takes colour pictures in [-1, 1] of their own size and gives features (n, d), or features
    and logits. It is code: see gantrain.networks.torchscript."""

    key = "evaluation.backbone"
    ways = "write one with torch.jit.save"

    def network_of(self, file: Path | None) -> nn.Module:
        return torchscript.load(file, self.key, self.ways)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor | None]:
        try:
            made = self.answer(signed(pictures))
        except RuntimeError as error:
            raise UserError(
                f"evaluation.backbone: {self.name} does not take {tuple(pictures.shape[1:])} "
                f"({str(error).strip().splitlines()[-1]})"
            ) from error
        features, logits = made if isinstance(made, (tuple, list)) else (made, None)
        if not isinstance(features, Tensor) or features.dim() != 2:
            raise UserError(f"evaluation.backbone: {self.name} must give features (n, d), alone or before logits")
        return features, logits


class Random(Backbone):
    """Untrained convolutions with a fixed seed, 32 features: they need no weights and take any kind of picture."""

    def __init__(self):
        super().__init__("random")
        generator = torch.Generator().manual_seed(0)
        widths = itertools.pairwise([3, 16, 32, 32])
        convs = [nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in widths]
        self.layers = nn.Sequential(*convs)
        with torch.no_grad():
            for layer in convs:
                layer.weight.normal_(std=(2 / layer.weight[0].numel()) ** 0.5, generator=generator)
                layer.bias.zero_()
        self.weights = hash_of(self)

    def forward(self, pictures: Tensor) -> tuple[Tensor, None]:
        x = signed(pictures)
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), 0.2)
        return x.mean((2, 3)), None


def named(name: str, weights: str | None, filter: str | None) -> Backbone:
    """The backbone `tf`, `random`, a classifier of torchvision, or a TorchScript file. Raises UserError."""
    if name == "random":
        if weights or filter is not None:
            raise UserError("evaluation.backbone=random draws its weights and takes pictures as they are")
        return Random()
    if name.endswith(TORCHSCRIPT):
        if filter is not None:
            raise UserError(f"evaluation.resize: {name} sees pictures at their own size; leave it null")
        backbone: Backbone = TorchScript(re.sub(r"\W", "_", Path(name).stem), name)
    elif name == "tf":
        backbone = Inception(name, weights or None, filter or "tf1")
    else:
        from torchvision import models  # half a second that the others do not need

        classifiers = models.list_models(module=models)
        if name not in classifiers:
            known = ["tf", "dataset", "random", *classifiers]
            raise UserError(
                f"evaluation.backbone is '{name}'{did_you_mean(name, known)}; it must be tf, dataset, random, a "
                f"classifier of torchvision such as resnet50, or a TorchScript file (.pt)"
            )
        backbone = Torchvision(name, weights or None, filter or "antialias")
    backbone.load()
    return backbone


def signed(pictures: Tensor) -> Tensor:
    """Pictures as colour in [-1, 1]."""
    return pictures.expand(-1, 3, -1, -1).float() / 127.5 - 1


def unfit(file: Path | None, name: str, error: Exception) -> UserError:
    detail = " ".join(str(error).split())
    return UserError(f"evaluation.weights: {file} does not fit {name} ({detail[:200]}); name its own weights")


def hash_of(network: nn.Module) -> str:
    """A sha256 over a network's weights, where they come from no file."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode() + value.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
