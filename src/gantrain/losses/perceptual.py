"""Distance of pictures in the features of an image classifier (Johnson et al. 2016; Ledig et al. 2017, equation 5)."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.checks import check_whole
from gantrain.errors import UserError
from gantrain.networks.frozen import IMAGENET, Frozen, pixels_of
from gantrain.networks.weights import read_state

BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}  # convolutions of each block
WIDTHS = (1, 2, 4, 8, 8)  # channels of each block, in multiples of the first's
# Mean and deviation of what the network was trained on, for pixels in 0..1.
NORMALISATIONS = {
    "imagenet": IMAGENET,
    "bgr_mean": ((104.007 / 255, 116.669 / 255, 122.679 / 255), (1 / 255, 1 / 255, 1 / 255)),
}

SMALLEST = 1e-8  # mean squared feature: of pictures of which a network says nothing


class Perceptual(Frozen):
    """`weight` times the mean squared difference of a frozen VGG's features at `layer`, divided by `divide`.

    `divide` null measures it: the root mean square of the real pictures' features, so that whatever the weights and the
    layer, 0 is the same picture and 1 is as far as no features at all. Features of two files of weights lie orders of
    magnitude apart, and the adversarial term is weighed against this one.

    `layer` is `relu5_4`, or `block5_conv4` as Keras calls the same, or `conv5_4` before its ReLU. Of a list of layers
    the distances are added up (Johnson et al. 2016); it takes no longer than the last of them. Pictures are in `range`,
    grey or RGB. `normalise` is `imagenet` for torchvision's weights, or `bgr_mean` for Caffe's: BGR in 0..255 less its
    mean.

    `weights` has the tensors of `features` or of the whole network, in any precision; null means torchvision's own in
    torch's cache, which `download` fetches. The first call raises UserError where there are none or they do not fit.
    """

    key = "losses.content.weights"
    follows_precision = True
    ways = (
        "losses.content.weights=FILE names a local file of them, losses.content.download=true fetches torchvision's, "
        "and losses/content=pixel trains without a VGG"
    )

    def __init__(
        self,
        network: Literal["vgg16", "vgg19"],
        layer: str | Sequence[str],
        range: Sequence[float],
        weights: str | None = None,
        download: bool = False,
        normalise: Literal["imagenet", "bgr_mean"] = "imagenet",
        divide: float | None = 1.0,
        weight: float = 1.0,
        width: int = 64,
    ):
        super().__init__()
        if divide == 0:
            raise ValueError("divide is 0, it must be another number")
        check_whole(1, width=width)
        layers = [layer] if isinstance(layer, str) else list(layer)
        if not layers:
            raise ValueError("layer is an empty list, name one layer or several")
        self.network, self.range, self.width = network, tuple(range), width
        self.path, self.download = weights, download
        self.divide, self.weight = divide, weight
        self.name = f"{network} {'+'.join(layers)}"
        self.depths = [depth_of(network, layer) for layer in layers]
        self.bgr, self.statistics = normalise == "bgr_mean", NORMALISATIONS[normalise]

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.features_of(real)
            scales = [1.0 if self.divide is not None else at.square().mean().clamp_min(SMALLEST) for at in wanted]
        seen = zip(self.features_of(made), wanted, scales, strict=True)
        return self.weight * torch.stack([F.mse_loss(ours, theirs) / scale for ours, theirs, scale in seen]).sum()

    def features_of(self, pictures: Tensor) -> list[Tensor]:
        """Features (n, c, h, w) at each layer of pictures (n, 1 or 3, H, W) in `range`, in float32."""
        pixels = pixels_of(pictures, self.range)
        outputs = self.answer(pixels.flip(1) if self.bgr else pixels)
        return [output.float() / (self.divide or 1.0) for output in outputs]

    def network_of(self, file: Path | None) -> nn.Module:
        layers = convolutions(self.network, self.width)[: max(self.depths)]
        if file is not None:
            state = {key.removeprefix("features."): value for key, value in read_state(file, self.key).items()}
            try:
                layers.load_state_dict({key: state[key].float() for key in layers.state_dict()})
            except (KeyError, RuntimeError) as error:
                held = sum(weight.dim() == 4 for weight in state.values())
                other = {sum(blocks): name for name, blocks in BLOCKS.items()}.get(held, "none of them")
                raise UserError(
                    f"{self.key}: {file} does not hold the first layers of a {self.network} (by its layers it is "
                    f"{other}); choose losses/content=vgg16 or vgg19 to match it, or another file"
                ) from error
        return Outputs(layers, self.depths)

    def find(self) -> Path | None:
        if self.path is not None:
            return super().find()
        from torchvision.models import get_model_weights

        url = get_model_weights(self.network).IMAGENET1K_V1.url
        file = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
        if not file.is_file():
            if not self.download:
                raise UserError(f"losses.content: the weights of its {self.network.upper()} are missing; {self.ways}")
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                torch.hub.download_url_to_file(url, str(file), hash_prefix=file.stem.rpartition("-")[2], progress=False)
            except (OSError, RuntimeError) as error:
                raise UserError(f"losses.content.download: cannot fetch {url} ({error}); {self.ways}") from error
        return file


class Outputs(nn.Module):
    """The outputs of a stack of layers after the first `depths` of them, in one pass."""

    def __init__(self, layers: nn.Sequential, depths: Sequence[int]):
        super().__init__()
        self.layers, self.depths = layers, depths

    def forward(self, x: Tensor) -> list[Tensor]:
        after = {}
        for depth, layer in enumerate(self.layers, 1):
            x = after[depth] = layer(x)
        return [after[depth] for depth in self.depths]


def depth_of(network: str, layer: str) -> int:
    """How many of the network's layers lead to `layer`. Raises ValueError."""
    names: list[str | None] = []
    for block, convs in enumerate(BLOCKS[network], 1):
        names += [f"{kind}{block}_{conv}" for conv in range(1, convs + 1) for kind in ("conv", "relu")]
        names.append(None)  # the pooling layer
    name = re.sub(r"^block(\d)_conv(\d)$", r"relu\1_\2", layer)
    if name not in names:
        raise ValueError(
            f"layer {layer!r} is none of {network}, which has relu1_1 (or block1_conv1) to {names[-2]}, and conv1_1"
        )
    return names.index(name) + 1


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
