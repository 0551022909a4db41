"""A frozen network that says whose face it is: a TorchScript file, or a model of torchvision or timm with weights."""

import functools
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.checks import check_whole
from gantrain.errors import UserError, first_line
from gantrain.files import sha256
from gantrain.networks import torchscript
from gantrain.networks.frozen import IMAGENET, Frozen, pixels_of
from gantrain.networks.weights import read_state

HEADS = ("fc", "classifier", "classif", "head", "heads", "last_linear")  # what classifies, and is taken off


@functools.lru_cache(16)
def shares(size: int, length: int, device: torch.device) -> Tensor:
    """How much each of `length` pixels in a row gives to each of `size`: (size, length)."""
    with torch.inference_mode(False):  # they are kept, and trained through later
        row = torch.eye(length)[None, None]
        return F.interpolate(row, (size, length), mode="bilinear", antialias=True)[0, 0].to(device)


def resized(pixels: Tensor, size: int) -> Tensor:
    """Pictures of side `size`, bilinear with antialiasing, by products of matrices.

    torch's own has no backward pass on a GPU that gives the same bits again.
    """
    rows, columns = (shares(size, length, pixels.device) for length in pixels.shape[-2:])
    with torch.autocast(pixels.device.type, enabled=False):
        return rows @ pixels.float() @ columns.T


class Resized(nn.Module):
    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def forward(self, pixels: Tensor) -> Tensor:
        return resized(pixels, self.size)


class FaceEmbedder(Frozen):
    """Pictures (n, 1 or 3, h, w) in `range`, resized to `size` unless it is null, to embeddings (n, d).

    `path` is TorchScript, or with `model` (`torchvision/NAME`, `timm/NAME`) a state dict whose classifying head is left
    off. `mean` and `deviation` are null where they are what the model was trained with, or [-1, 1] for TorchScript. The
    first call raises UserError where the file or its answer is of no use. A checkpoint holds the file's checksum, and a
    run does not go on with another file.
    """

    checksum: Tensor
    key = "networks.face.path"
    follows_precision = True
    ways = (
        "networks.face.path=FILE names a TorchScript file; networks.face.model=timm/inception_resnet_v2 (or a model of "
        "torchvision) with networks.face.path=WEIGHTS takes a state dict"
    )

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
        if model is not None and model.partition("/")[0] not in ("torchvision", "timm"):
            raise ValueError(f"model is '{model}', it must be torchvision/NAME or timm/NAME")
        check_whole(1, size=size)
        self.path, self.model, self.size, self.range = path, model, size, tuple(range)
        self.mean, self.deviation = mean, deviation
        self.register_buffer("checksum", torch.zeros(32, dtype=torch.uint8))  # of the file; zeros until it is loaded
        self._loaded: list[int] = []  # the same of what is loaded, whatever a checkpoint says
        self.register_load_state_dict_post_hook(FaceEmbedder.check_file)

    def forward(self, images: Tensor) -> Tensor:
        if not self._held:
            self.load()
            self.test(images.device)
        pixels = pixels_of(images, self.range)
        if self.size is not None and pixels.shape[-2:] != (self.size, self.size):
            pixels = resized(pixels, self.size)
        return self.answer(pixels)

    def find(self) -> Path | None:
        if self.path is None:
            raise UserError(f"networks.face: a face recogniser is needed and none is named; {self.ways}")
        return super().find()

    def network_of(self, file: Path | None) -> nn.Module:
        self._loaded = [1] * 32 if file is None else list(bytes.fromhex(sha256(file)))
        self.check_file()
        if file is None:  # small, but it tells pictures apart
            return nn.Sequential(Resized(32), nn.Conv2d(3, 8, 4, 4), nn.Tanh(), nn.Flatten(), nn.Linear(8 * 8 * 8, 16))
        if self.model is None:
            return torchscript.load(file, self.key, self.ways)
        return with_weights(model_named(self.model), file, self.model)

    @property
    def statistics(self) -> Sequence[Sequence[float]]:
        library, _, name = (self.model or "").partition("/")
        usual = IMAGENET if library == "torchvision" else ((0.5,) * 3, (0.5,) * 3)
        if library == "timm":
            import timm

            trained = timm.get_pretrained_cfg(name)
            usual = (trained.mean, trained.std) if trained is not None else usual
        return [own or its for own, its in zip((self.mean, self.deviation), usual, strict=True)]

    def check_file(self, *_: object) -> None:  # torch calls it after a checkpoint is loaded
        """Remember the file that is loaded. Raises UserError where the run was trained with another."""
        if self._loaded:
            if self.checksum.any() and self.checksum.tolist() != self._loaded:
                raise UserError(f"{self.key}: {self.path} is not the file that the run was trained with; put it back")
            self.checksum.copy_(torch.tensor(self._loaded))

    def test(self, device: torch.device) -> None:
        """Raise UserError where the network's answer to two pictures is of no use."""
        side = self.size or 64
        noise = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)).to(device)
        try:
            with torch.enable_grad():
                answer = self.answer(noise.requires_grad_(True))
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


def model_named(model: str) -> nn.Module:
    """A model of torchvision or timm without weights. Raises UserError."""
    library, _, name = model.partition("/")
    try:
        if library == "torchvision":
            from torchvision.models import get_model

            return get_model(name, weights=None)
        import timm

        return timm.create_model(name, pretrained=False)
    except ImportError as error:
        raise UserError("networks.face.model: timm is missing; `pip install 'gantrain[timm]'`") from error
    except (RuntimeError, ValueError, KeyError) as error:
        raise UserError(f"networks.face.model: {library} has no model '{name}'") from error


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
