"""A frozen network whose weights lie in a local file: found before a run begins, loaded at its first use."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gantrain.errors import UserError
from gantrain.files import UNTRAINED

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # statistics of torchvision's networks


class Frozen(nn.Module):
    """What a network that nobody trains says of pixels, in float32; gradients pass through to them.

    With `follows_precision` it computes in bfloat16 where the trainer does. Not in float16, which ends at 65,504:
    features of pixels in 0..255 may lie beyond.

    A subclass gives the network, `network_of(file)`, and where it takes pixels that are normalised its `statistics`,
    mean and deviation of pixels in 0..1. `key` is the config key of `path`, `ways` what a user can do without the file.
    """

    key = ""
    ways = ""
    path: str | None = None
    no_file: str | None = UNTRAINED  # the path in whose place `network_of` needs none
    statistics: Sequence[Sequence[float]] = ()
    follows_precision = False  # a score's network does not: numbers are to be compared

    def __init__(self):
        super().__init__()
        # In a list it is no child: neither weights to save nor to train, and always in eval mode.
        self._held: list[Any] = []
        self._device: torch.device | None = None

    def find(self) -> Path | None:
        """The file, None where none is needed. Raises UserError where it is missing."""
        if self.path == self.no_file:
            return None
        file = Path(self.path).expanduser()
        if not file.is_file():
            raise UserError(f"{self.key}: there is no file {file}; {self.ways}")
        return file

    def network_of(self, file: Path | None) -> nn.Module:
        """The network with the weights in a file, or one that needs none. Raises UserError."""
        raise NotImplementedError

    def load(self) -> None:
        """Find the file and read it. Raises UserError."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # an untrained network is always the same
            network = self.network_of(self.find()).eval()
        for parameter in network.parameters():  # TorchScript has no requires_grad_ of its own
            parameter.requires_grad_(False)
        self._held = [network, *(torch.tensor(values).view(3, 1, 1) for values in self.statistics)]

    def answer(self, pixels: Tensor) -> Any:
        """What the network says of pixels (n, 3, h, w), wherever they are."""
        if not self._held:
            self.load()
        if self._device != pixels.device:
            self._held, self._device = [part.to(pixels.device) for part in self._held], pixels.device
        network, *statistics = self._held
        # Without its optimiser TorchScript computes every call alike, the first as the hundredth: a run that goes on
        # from a checkpoint must do so bit for bit.
        kind = pixels.device.type
        lower = self.follows_precision and torch.get_autocast_dtype(kind) == torch.bfloat16
        enabled = lower and torch.is_autocast_enabled(kind)
        with torch.autocast(kind, torch.bfloat16, enabled), torch.jit.optimized_execution(False):
            if statistics:
                mean, deviation = statistics
                pixels = (pixels - mean) / deviation
            made = network(pixels)
        return made.float() if enabled and isinstance(made, Tensor) else made


def pixels_of(pictures: Tensor, range: Sequence[float]) -> Tensor:
    """Pictures (n, 1 or 3, h, w) in `range` as colour pixels in 0..1, in float32."""
    low, high = range
    return ((pictures.float() - low) / (high - low)).expand(-1, 3, -1, -1)
