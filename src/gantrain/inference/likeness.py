"""How far pictures are from a photo, as a network sees them: for a search whose every step asks it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.errors import UserError
from gantrain.inference.layer_outputs import LayerOutputs, of_samples_alone
from gantrain.losses.perceptual import BLOCKS, SMALLEST, Perceptual
from gantrain.networks.weights import read_state

VGG_LAYERS = ("relu1_2", "relu2_2", "relu3_3")
SIZES = 3  # whole, half and a quarter, at which pixels are compared


class Likeness:
    """The mean over layers of the squared difference of `features`, as a share of the photo's own mean square.

    With `pixels` the mean absolute difference of pixels is added, itself the mean over three sizes: features that were
    learnt by judging fakes need not see all of a picture. `name` says what is compared.
    """

    def __init__(self, name: str, features: Callable[[Tensor], Sequence[Tensor]], pixels: bool):
        self.name, self.features, self.pixels = name, features, pixels

    def to(self, photo: Tensor) -> Callable[[Tensor], Tensor]:
        """The distance of a picture (1, c, h, w) to a photo of that shape, of both in the networks' range."""
        with torch.no_grad():
            wanted = [(layer, layer.square().mean().clamp_min(SMALLEST)) for layer in self.features(photo)]
            smaller = halvings(photo)

        def distance(made: Tensor) -> Tensor:
            pairs = zip(self.features(made), wanted, strict=True)
            apart = torch.stack([F.mse_loss(seen, layer) / scale for seen, (layer, scale) in pairs]).mean()
            if self.pixels:
                sizes = [F.l1_loss(a, b) for a, b in zip(halvings(made), smaller, strict=True)]
                apart = apart + torch.stack(sizes).mean()
            return apart

        return distance


def halvings(pictures: Tensor) -> list[Tensor]:
    """Pictures at whole, half and a quarter of their size."""
    sizes = [pictures]
    while len(sizes) < SIZES:
        sizes.append(F.avg_pool2d(sizes[-1], 2))
    return sizes


def by_discriminator(discriminator: nn.Module) -> Likeness:
    """By what the run's own discriminator sees in its layers, and by pixels."""
    layers = LayerOutputs(discriminator.requires_grad_(False))
    return Likeness(
        "the run's discriminator and pixels",
        lambda pictures: layers(*of_samples_alone(discriminator, pictures)),
        pixels=True,
    )


def by_vgg(file: Path, normalise: Literal["imagenet", "bgr_mean"], range: Sequence[float]) -> Likeness:
    """By three layers of a VGG16 or VGG19 whose weights lie in `file`. Raises UserError."""
    if not file.is_file():
        raise UserError(f"--vgg: there is no file {file}")
    convolutions = sum(weight.dim() == 4 for weight in read_state(file, "--vgg").values())
    network: Any = next((name for name, blocks in BLOCKS.items() if sum(blocks) == convolutions), None)
    if network is None:
        raise UserError(f"--vgg: {file} has {convolutions} convolutions; a VGG16 has 13, a VGG19 16")
    seen = Perceptual(network, VGG_LAYERS, range, str(file), normalise=normalise)
    seen.key = "--vgg"
    seen.load()
    return Likeness(f"a {network.upper()}", seen.features_of, False)
