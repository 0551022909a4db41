"""Distance of pictures in the features of an image classifier (Johnson et al. 2016; Ledig et al. 2017, equation 5)."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.checks import check_number, check_whole
from gantrain.errors import UserError
from gantrain.files import UNTRAINED
from gantrain.networks.weights import read_state

BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}  # convolutions of each block
WIDTHS = (1, 2, 4, 8, 8)  # channels of each block, in multiples of the first's
# Channel order, mean and deviation of what the network was trained on, for pixels in 0..1.
NORMALISATIONS = {
    "imagenet": ((0, 1, 2), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "bgr_mean": ((2, 1, 0), (104.007 / 255, 116.669 / 255, 122.679 / 255), (1 / 255, 1 / 255, 1 / 255)),
}


class Perceptual(nn.Module):
    """`weight` times the mean squared difference of a frozen VGG's features at `layer`, divided by `divide`.

    `layer` is `relu5_4`, or `block5_conv4` as Keras calls the same, or `conv5_4` before its ReLU. Pictures are in
    `range`, grey or RGB. `normalise` is `imagenet` for torchvision's weights, or `bgr_mean` for Caffe's: BGR in 0..255
    less its mean.

    `weights` is a local file, safetensors or a state dict of PyTorch, of `features` or of the whole network, in any
    precision; null means torchvision's own where they lie in torch's cache, or, with `download`, are fetched there. The
    word `untrained` means random weights, for dry runs. The first call loads them: whoever only uses a trained network
    needs none. It raises UserError where there are none or they do not fit.
    """

    def __init__(
        self,
        network: Literal["vgg16", "vgg19"],
        layer: str,
        range: Sequence[float],
        weights: str | None = None,
        download: bool = False,
        normalise: Literal["imagenet", "bgr_mean"] = "imagenet",
        divide: float = 1.0,
        weight: float = 1.0,
        width: int = 64,
    ):
        super().__init__()
        if network not in BLOCKS:
            raise ValueError(f"network is {network!r}, it must be one of {', '.join(BLOCKS)}")
        if weights is not None and not isinstance(weights, str):
            raise ValueError(f"weights is {weights!r}, it must be the name of a file")
        if normalise not in NORMALISATIONS:
            raise ValueError(f"normalise is {normalise!r}, it must be one of {', '.join(NORMALISATIONS)}")
        check_number(weight=weight, divide=divide)
        if divide == 0:
            raise ValueError("divide is 0, it must be another number")
        check_whole(1, width=width)
        self.network, self.layer, self.range, self.width = network, layer, tuple(range), width
        self.weights, self.download = weights, download
        self.divide, self.weight = divide, weight
        self.name = f"{network} {layer}"
        self.depth = depth_of(network, layer)
        order, mean, deviation = NORMALISATIONS[normalise]
        self.order = list(order)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(3, 1, 1))
        self.features: nn.Sequential | None = None

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.features_of(real)
        return self.weight * F.mse_loss(self.features_of(made), wanted)

    def features_of(self, pictures: Tensor) -> Tensor:
        """Features (n, c, h, w) of pictures (n, 1 or 3, H, W) in `range`, in float32."""
        if self.features is None:
            self.features = self.trained().to(pictures.device)
        low, high = self.range
        with torch.autocast(pictures.device.type, enabled=False):
            pixels = (pictures.float() - low) / (high - low)
            rgb = pixels.expand(-1, 3, -1, -1)[:, self.order]
            return self.features((rgb - self.mean) / self.deviation) / self.divide

    def trained(self) -> nn.Sequential:
        """The frozen layers up to `layer` with their weights. Raises UserError."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            layers = convolutions(self.network, self.width)[: self.depth]
        file = self.find()
        if file is not None:
            state = read_weights(file)
            try:
                layers.load_state_dict({key: state[key].float() for key in layers.state_dict()})
            except (KeyError, RuntimeError) as error:
                held = sum(weight.dim() == 4 for weight in state.values())
                other = {sum(blocks): name for name, blocks in BLOCKS.items()}.get(held, "none of them")
                raise UserError(
                    f"losses.content.weights: {file} does not hold the first layers of a {self.network} (by its layers "
                    f"it is {other}); choose losses/content=vgg16 or vgg19 to match it, or another file"
                ) from error
        return layers.eval().requires_grad_(False)

    def find(self) -> Path | None:
        """The file, fetched if asked for, None for untrained weights. Raises UserError where it is missing."""
        if self.weights == UNTRAINED:
            return None
        ways = (
            f"losses.content.weights=FILE names a local file of them, losses.content.download=true fetches "
            f"torchvision's, and losses/content=pixel trains without a {self.network.upper()}"
        )
        if self.weights is not None:
            file = Path(self.weights).expanduser()
            if not file.is_file():
                raise UserError(f"losses.content.weights: there is no file {file}; {ways}")
            return file
        from torchvision.models import VGG16_Weights, VGG19_Weights

        url = (VGG16_Weights if self.network == "vgg16" else VGG19_Weights).IMAGENET1K_V1.url
        file = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
        if not file.is_file():
            if not self.download:
                raise UserError(f"losses.content: the weights of its {self.network.upper()} are missing; {ways}")
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                torch.hub.download_url_to_file(url, str(file), hash_prefix=file.stem.rpartition("-")[2], progress=False)
            except (OSError, RuntimeError) as error:
                raise UserError(f"losses.content.download: cannot fetch {url} ({error}); {ways}") from error
        return file


def depth_of(network: str, layer: str) -> int:
    """How many of the network's layers lead to `layer`. Raises ValueError."""
    found = re.fullmatch(r"(relu|conv)(\d)_(\d)|block(\d)_conv(\d)", layer)
    blocks = BLOCKS[network]
    if found:
        block, conv = (int(number) for number in (found[2] or found[4], found[3] or found[5]))
        if 1 <= block <= len(blocks) and 1 <= conv <= blocks[block - 1]:
            before = sum(2 * convs + 1 for convs in blocks[: block - 1])  # each block ends in a pooling layer
            return before + 2 * conv - (found[1] == "conv")
    raise ValueError(
        f"layer {layer!r} is none of {network}, which has relu1_1 (or block1_conv1) to relu5_{blocks[-1]}, and conv1_1"
    )


def convolutions(network: str, width: int = 64) -> nn.Sequential:
    """VGG's convolutional layers (Simonyan and Zisserman 2015), numbered as torchvision's `features` are."""
    layers: list[nn.Module] = []
    channels = 3
    for convs, multiple in zip(BLOCKS[network], WIDTHS, strict=True):
        for _ in range(convs):
            before, channels = channels, multiple * width
            layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def read_weights(file: Path) -> dict[str, Tensor]:
    """The tensors of `features` by their keys there. Raises UserError."""
    state = read_state(file, "losses.content.weights")
    return {key.removeprefix("features."): value for key, value in state.items() if not key.startswith("classifier.")}
