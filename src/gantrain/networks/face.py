"""A frozen network that says whose face it is: a TorchScript file, or a model of torchvision or timm with weights."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.errors import UserError, first_line
from gantrain.files import UNTRAINED, sha256
from gantrain.networks import torchscript
from gantrain.networks.weights import LARGEST, read_state

HEADS = ("fc", "classifier", "classif", "head", "heads", "last_linear")  # what classifies, and is taken off
WAYS = (
    "networks.face.path=FILE names a TorchScript file; networks.face.model=timm/inception_resnet_v2 (or a model of "
    "torchvision) with networks.face.path=WEIGHTS takes a state dict"
)


class FaceEmbedder(nn.Module):
    """Pictures (n, 1 or 3, h, w) in `range` to embeddings (n, d), in float32; gradients pass through to the pictures.

    `path` is a local file: TorchScript, or with `model` (`torchvision/NAME`, `timm/NAME`) a state dict, safetensors or
    PyTorch's, whose classifying head is left off. The word `untrained` means a small random network for dry runs.
    Pictures are resized to `size` pixels, unless it is null, and normalised by `mean` and `deviation` of pixels in
    0..1; null means what the model was trained with, and [-1, 1] for TorchScript.

    The first call loads the file: a run's other networks can be used without it. It raises UserError where that fails
    or the answer is no finite (n, d). The network is no part of this module's weights: a checkpoint holds its file's
    checksum instead, and a run does not go on with another file. TorchScript is code: see networks/torchscript.py.
    """

    def __init__(
        self,
        path: str | None = None,
        model: str | None = None,
        size: int | None = 192,
        range: Sequence[float] = (-1, 1),
        mean: Sequence[float] | None = None,
        deviation: Sequence[float] | None = None,
    ):
        super().__init__()
        if path is not None and not isinstance(path, str):
            raise ValueError(f"path is {path!r}, it must be the name of a file")
        if model is not None and not (isinstance(model, str) and model.partition("/")[0] in ("torchvision", "timm")):
            raise ValueError(f"model is '{model}', it must be torchvision/NAME or timm/NAME")
        if size is not None and size < 1:
            raise ValueError(f"size is {size}, it must be 1 or more, or null")
        self.path, self.model, self.size, self.range = path, model, size, tuple(range)
        self.mean, self.deviation = mean, deviation
        self.register_buffer("checksum", torch.zeros(32, dtype=torch.uint8))  # of the file; zeros until it is loaded
        self._frozen: _Frozen | None = None

    def forward(self, images: Tensor) -> Tensor:
        if self._frozen is None:
            self.load(images.device)
        low, high = self.range
        # Without its optimiser TorchScript computes every call alike, the first as the hundredth: a run that goes on
        # from a checkpoint must do so bit for bit.
        with torch.autocast(images.device.type, enabled=False), torch.jit.optimized_execution(False):
            pixels = ((images.float() - low) / (high - low)).expand(-1, 3, -1, -1)
            if self.size is not None and pixels.shape[-2:] != (self.size, self.size):
                pixels = F.interpolate(pixels, (self.size, self.size), mode="bilinear", antialias=True)
            return self._frozen.network((pixels - self._frozen.mean) / self._frozen.deviation)

    def load(self, device: torch.device) -> None:
        """Read the file and try it on noise. Raises UserError."""
        file = self.find()
        digest = torch.ones_like(self.checksum) if file is None else digest_of(file).to(self.checksum.device)
        if self.checksum.any() and not torch.equal(self.checksum, digest):
            raise UserError(
                f"networks.face.path: {self.path} is not the file that the run was trained with; put it back"
            )
        network = untrained() if file is None else self.network_of(file)
        for parameter in network.parameters():  # TorchScript has no requires_grad_ of its own
            parameter.requires_grad_(False)
        self._frozen = _Frozen(network, *self.statistics()).to(device).eval()
        self.checksum.copy_(digest)
        self.test(device)

    def test(self, device: torch.device) -> None:
        """Raise UserError where the network's answer to two pictures is of no use."""
        side = self.size or 64
        noise = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
        pictures = (noise * (self.range[1] - self.range[0]) + self.range[0]).to(device).requires_grad_(True)
        try:
            with torch.enable_grad():
                answer = self(pictures)
        except (RuntimeError, ValueError, TypeError) as error:
            reason = " ".join(str(error).split())[-200:]
            raise UserError(f"networks.face: it does not take pictures (n, 3, {side}, {side}) ({reason})") from error
        if not isinstance(answer, Tensor) or answer.dim() != 2 or len(answer) != 2:
            found = tuple(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
            raise UserError(
                f"networks.face: {self.path} answers two pictures with {found}, not with embeddings (2, d); "
                f"take a network without its head"
            )
        if not torch.isfinite(answer).all():
            raise UserError(f"networks.face: {self.path} answers with numbers that are not finite; check its file")
        if not answer.requires_grad:
            raise UserError(f"networks.face: no gradient passes through {self.path}; save it without torch.no_grad")

    def find(self) -> Path | None:
        """The file, None for an untrained network. Raises UserError where it is missing."""
        if self.path == UNTRAINED:
            return None
        if self.path is None:
            raise UserError(f"networks.face: a face recogniser is needed and none is named; {WAYS}")
        file = Path(self.path).expanduser()
        if not file.is_file():
            raise UserError(f"networks.face.path: there is no file {file}; {WAYS}")
        if file.stat().st_size > LARGEST:
            raise UserError(f"networks.face.path: {file} has more than {LARGEST >> 30} GB; {WAYS}")
        return file

    def network_of(self, file: Path) -> nn.Module:
        if self.model is not None:
            return with_weights(model_named(self.model), file, self.model)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch deprecates the format, not its files
                return torchscript.load(file, "networks.face.path")
        except (RuntimeError, ValueError, OSError) as error:
            raise UserError(
                f"networks.face.path: {file} is no TorchScript file ({first_line(error)}); {WAYS}"
            ) from error

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of pixels in 0..1 that the network was trained with, each (3, 1, 1)."""
        library = (self.model or "").partition("/")[0]
        usual = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)) if library == "torchvision" else ((0.5,) * 3, (0.5,) * 3)
        if library == "timm":
            import timm

            trained = timm.get_pretrained_cfg(self.model.partition("/")[2])
            usual = (trained.mean, trained.std) if trained is not None else usual
        mean, deviation = (own or its for own, its in zip((self.mean, self.deviation), usual, strict=True))
        return torch.tensor(mean).view(3, 1, 1), torch.tensor(deviation).view(3, 1, 1)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        """Take the network along where this module is moved to."""
        if self._frozen is not None:
            self._frozen._apply(fn, recurse)
        return super()._apply(fn, recurse)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_frozen":  # no child: neither weights to save nor to train, and always in eval mode
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        before = self.checksum.clone()
        super()._load_from_state_dict(state, prefix, *rest)
        if self._frozen is not None and not torch.equal(self.checksum, before):
            rest[-1].append(f"networks.face.path: {self.path} is not the file that the run was trained with")


class _Frozen(nn.Module):
    """A network and the statistics of the pictures that it was trained with."""

    def __init__(self, network: nn.Module, mean: Tensor, deviation: Tensor):
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)


def untrained() -> nn.Module:
    """A small random network that tells pictures apart, always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.AdaptiveAvgPool2d(32), nn.Conv2d(3, 8, 4, 4), nn.Tanh(), nn.Flatten(), nn.Linear(8 * 8 * 8, 16)
        )


def model_named(model: str) -> nn.Module:
    """A model of torchvision or timm without weights. Raises UserError."""
    library, _, name = model.partition("/")
    if library == "torchvision":
        from torchvision.models import get_model

        try:
            return get_model(name, weights=None)
        except (ValueError, KeyError) as error:
            raise UserError(f"networks.face.model: torchvision has no model '{name}'") from error
    try:
        import timm
    except ImportError as error:
        raise UserError("networks.face.model: timm is missing; `pip install 'gantrain[timm]'`") from error
    try:
        return timm.create_model(name, pretrained=False)
    except (RuntimeError, ValueError) as error:
        raise UserError(f"networks.face.model: timm has no model '{name}'") from error


def with_weights(network: nn.Module, file: Path, model: str) -> nn.Module:
    """The network with the weights in `file`, its head left off. Raises UserError."""
    for head in HEADS:
        if isinstance(getattr(network, head, None), nn.Module):
            setattr(network, head, nn.Identity())
    try:
        missing = network.load_state_dict(read_state(file, "networks.face.path"), strict=False).missing_keys
    except RuntimeError as error:
        raise UserError(
            f"networks.face.path: {file} does not fit {model} ({first_line(error)}); take its own weights"
        ) from error
    if missing:
        raise UserError(f"networks.face.path: {file} lacks weights of {model}, such as {missing[0]}; take its own")
    return network


def digest_of(file: Path) -> Tensor:
    """A file's sha256 as 32 bytes, which a checkpoint can hold."""
    return torch.tensor(list(bytes.fromhex(sha256(file))), dtype=torch.uint8)
