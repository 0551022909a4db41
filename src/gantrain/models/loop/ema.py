"""Exponential moving average of chosen networks, its memory counted in images."""

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from gantrain.checks import check_positive
from gantrain.ramps import Ramp, at, check_ramp


def copied(network: nn.Module) -> nn.Module:
    """A deep copy, also where a pass has left tensors with a graph in the modules, as `nn.utils.spectral_norm` does."""
    derived = [
        value
        for part in network.modules()
        for value in vars(part).values()
        if isinstance(value, torch.Tensor) and not value.is_leaf
    ]
    return copy.deepcopy(network, {id(value): value.detach().clone() for value in derived})


class EMA(nn.Module):
    """Averaged copies of `networks` (Yazici et al. 2019), frozen and in eval mode; buffers are copied, not averaged.

    `half_life_images` is the number of images after which the influence of old weights has halved; it may change over
    the images seen. Early in training it is at most `ramp_up` times the images seen so far (Karras et al. 2020), so
    that the average forgets the initial weights.
    """

    def __init__(self, networks: Sequence[str], half_life_images: float | Ramp, ramp_up: float | None = None):
        super().__init__()
        if isinstance(half_life_images, Ramp):
            check_ramp(half_life_images=half_life_images)
        else:
            check_positive(half_life_images=half_life_images)
        self.names, self.half_life_images, self.ramp_up = list(networks), half_life_images, ramp_up
        self.copies = nn.ModuleDict()

    def start(self, networks: Mapping[str, nn.Module]) -> None:
        """Begin from the networks' present weights."""
        for name in self.names:
            self.copies[name] = copied(networks[name]).requires_grad_(False).eval()

    def decay(self, batch_images: int, images_seen: int) -> float:
        """The weight of the old average for a batch of `batch_images`, after `images_seen` earlier images."""
        half_life = at(self.half_life_images, images_seen)
        if self.ramp_up is not None:
            half_life = min(half_life, images_seen * self.ramp_up)
        return 0.5 ** (batch_images / half_life) if half_life > 0 else 0.0

    @torch.no_grad()
    def update(self, networks: Mapping[str, nn.Module], decay: float | torch.Tensor) -> None:
        """Move the copies towards the networks; `decay` is the weight of the old average, a tensor on a device."""
        for name, average in self.copies.items():
            averages: list[torch.Tensor] = list(average.parameters())
            weights: list[torch.Tensor] = list(networks[name].parameters())
            if isinstance(decay, torch.Tensor):
                for mine, theirs in zip(averages, weights, strict=True):
                    mine.lerp_(theirs, 1.0 - decay)
            elif weights:  # torch refuses an empty list
                torch._foreach_lerp_(averages, weights, 1.0 - decay)
            if buffers := list(average.buffers()):
                torch._foreach_copy_(buffers, list(networks[name].buffers()))
