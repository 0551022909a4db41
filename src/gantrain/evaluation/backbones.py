"""Networks whose features scores are made of: Inception, torchvision's, any TorchScript file, seeded convolutions."""

import hashlib
import itertools
import re
import tempfile
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn

from gantrain.errors import UserError, did_you_mean, first_line
from gantrain.evaluation.measures.resize import resize
from gantrain.files import TORCHSCRIPT, sha256
from gantrain.networks import torchscript
from gantrain.networks.weights import read_state

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Backbone(nn.Module):
    """Pictures (n, 1 or 3, h, w) uint8 to features (n, d) and, where it classifies, logits (n, classes).

    `name` is what tags say, `weights` the sha256 of its weights, `filter` how pictures reach its size, `rounded`
    whether they are rounded again after that.
    """

    name = ""
    weights = ""
    filter = "none"
    rounded = False

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor | None]:
        raise NotImplementedError


class Inception(Backbone):
    """TensorFlow's Inception of 2015, of which FID is defined, through torch-fidelity: 2,048 features, 1,008 logits."""

    side = 299

    def __init__(self, weights: Path | None, filter: str | None):
        super().__init__()
        self.name, self.filter = "tf", filter or "tf1"
        self.rounded = self.filter != "tf1"  # torch-fidelity takes bytes and resizes by itself as TensorFlow did
        try:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        except ImportError as error:
            raise UserError(
                "evaluation.backbone=tf needs torch-fidelity: pip install 'gantrain[fid]'; dataset, random and "
                "torchvision's networks need nothing"
            ) from error
        layers = ["2048", "logits_unbiased"]
        try:
            if weights is None:
                self.network = FeatureExtractorInceptionV3("inception", layers)
            else:
                state = read_state(weights, "evaluation.weights")
                with tempfile.TemporaryDirectory() as folder:  # it reads files with pickle: only one that we wrote
                    safe = Path(folder) / "weights.pth"
                    torch.save(state, safe)
                    self.network = FeatureExtractorInceptionV3("inception", layers, str(safe))
        except (URLError, OSError) as error:
            raise UserError(
                f"evaluation.weights: Inception's weights cannot be downloaded ({error}); fetch torch-fidelity's "
                f"weights-inception-2015-12-05-6726825d.pth elsewhere and name it with evaluation.weights=FILE, or "
                f"--weights FILE"
            ) from error
        except RuntimeError as error:
            raise unfit(weights, "Inception", error) from error
        self.weights = sha256(weights) if weights else hash_of(self.network)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        pictures = coloured(pictures)
        if self.filter != "tf1":
            pictures = resize(pictures, self.side, self.filter).round().clamp(0, 255).to(torch.uint8)
        features, logits = self.network(pictures)
        return features, logits


class Torchvision(Backbone):
    """An ImageNet classifier of torchvision: what enters its last linear layer, and its logits."""

    side = 224

    def __init__(self, name: str, weights: Path | None, filter: str | None):
        super().__init__()
        from torchvision import models

        self.name, self.filter = name, filter or "antialias"
        try:
            self.network = models.get_model(name, weights="DEFAULT" if weights is None else None)
        except (URLError, OSError) as error:
            raise UserError(
                f"evaluation.weights: {name}'s weights cannot be downloaded ({error}); fetch torchvision's file "
                f"elsewhere and name it with evaluation.weights=FILE, or --weights FILE"
            ) from error
        if weights is not None:
            try:
                self.network.load_state_dict(read_state(weights, "evaluation.weights"))
            except RuntimeError as error:
                raise unfit(weights, name, error) from error
        self.network.eval()
        self.weights = sha256(weights) if weights else hash_of(self.network)
        last = [module for module in self.network.modules() if isinstance(module, nn.Linear)][-1]
        last.register_forward_pre_hook(self._keep)
        self._features: Tensor | None = None

    def _keep(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._features = inputs[0]

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        scaled = resize(coloured(pictures), self.side, self.filter).clamp(0, 255) / 255
        mean, std = (torch.tensor(v, device=scaled.device).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
        logits = self.network((scaled - mean) / std)
        return self._features.flatten(1), logits


class TorchScript(Backbone):
    """A TorchScript file that takes colour pictures in [-1, 1] of their own size and gives features (n, d), or features
    and logits. It is code: see gantrain.networks.torchscript."""

    def __init__(self, file: Path, filter: str | None):
        super().__init__()
        if filter is not None:
            raise UserError(f"evaluation.resize: {file.name} sees pictures at their own size; leave it null")
        self.name = re.sub(r"\W", "_", file.stem)
        try:
            self.network = torchscript.load(file, "evaluation.backbone").eval()
        except (RuntimeError, ValueError, OSError) as error:
            raise UserError(
                f"evaluation.backbone: {file} is no TorchScript file, or damaged ({first_line(error)}); "
                f"write one with torch.jit.save"
            ) from error
        self.weights = sha256(file)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor | None]:
        try:
            made = self.network(coloured(pictures).float() / 127.5 - 1)
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
    """Seeded convolutions, 32 features: no opinion of pictures, but a fixed one, at once and for any kind."""

    def __init__(self, seed: int = 0):
        super().__init__()
        self.name = "random"
        generator = torch.Generator().manual_seed(seed)
        widths = [3, 16, 32, 32]
        self.layers = nn.Sequential(*[nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in itertools.pairwise(widths)])
        with torch.no_grad():
            for layer in self.layers:
                layer.weight.normal_(std=(2 / layer.weight[0].numel()) ** 0.5, generator=generator)
                layer.bias.zero_()
        self.weights = hash_of(self)

    def forward(self, pictures: Tensor) -> tuple[Tensor, None]:
        x = coloured(pictures).float() / 127.5 - 1
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), 0.2)
        return x.mean((2, 3)), None


def named(name: str, weights: str | None, filter: str | None) -> Backbone:
    """The backbone `tf`, `random`, a classifier of torchvision, or a TorchScript file. Raises UserError."""
    file = Path(weights).expanduser() if weights else None
    if file is not None and not file.is_file():
        raise UserError(f"evaluation.weights: there is no file {file}; name the file of {name}'s weights")
    if name == "tf":
        return Inception(file, filter)
    if name == "random":
        if file is not None or filter is not None:
            raise UserError("evaluation.backbone=random draws its weights and takes pictures as they are")
        return Random()
    if name.endswith(TORCHSCRIPT):
        script = Path(name).expanduser()
        if not script.is_file():
            raise UserError(f"evaluation.backbone: there is no file {script}")
        return TorchScript(script, filter)
    from torchvision import models  # half a second that the others do not need

    classifiers = models.list_models(module=models)
    if name in classifiers:
        return Torchvision(name, file, filter)
    known = ["tf", "dataset", "random", *classifiers]
    raise UserError(
        f"evaluation.backbone is '{name}'{did_you_mean(name, known)}; it must be tf, dataset, random, a classifier of "
        f"torchvision such as resnet50, or a TorchScript file (.pt)"
    )


def coloured(pictures: Tensor) -> Tensor:
    """Grey pictures as three equal channels."""
    return pictures.expand(-1, 3, -1, -1) if pictures.shape[1] == 1 else pictures


def unfit(file: Path | None, name: str, error: Exception) -> UserError:
    detail = " ".join(str(error).split())
    return UserError(f"evaluation.weights: {file} does not fit {name} ({detail[:200]}); name its own weights")


def hash_of(network: nn.Module) -> str:
    """A sha256 over a network's weights, where they come from no file."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode() + value.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
