"""A player's turn: whose it is, on what, what came of it, and its step."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gantrain.losses.penalties import Penalty
from gantrain.models.loop.batch import Scalars

# Below this scale of the gradients it is no overflow that makes them infinite.
LOWEST_SCALE = 2.0**-10


@dataclass
class Turn:
    """One player's turn in one iteration. The host decides the first half of it, the turn fills in the second.

    `plays` is False while the player idles; `due` are the penalties of this turn. `terms` are the weighted losses,
    `loss` is their sum, the mean over processes; `norm` is that of its gradient, unscaled and before clipping.
    `failed` names what was not finite, `loss` or `gradient`: then no step was made.
    """

    player: str
    networks: list[nn.Module]
    weights: list[nn.Parameter]
    optimizer: Optimizer
    images_seen: int
    plays: bool = True
    due: Mapping[str, Penalty] = field(default_factory=dict)
    terms: Scalars = field(default_factory=dict)
    stats: Scalars = field(default_factory=dict)
    loss: Tensor | None = None
    norm: Tensor | None = None
    failed: str | None = None

    @property
    def skipped(self) -> bool:
        return self.failed is not None

    def step(self, limit: float | None, scaler: Any) -> None:
        """The optimizer's step, with the gradient's norm bounded by `limit`; none where a value is not finite.

        `scaler` is fp16's, or None. An overflow of fp16 is no failure: the scaler skips that step and lowers its scale.
        """
        if scaler is not None:
            scaler.unscale_(self.optimizer)  # first: limits and norms are those of the gradient itself
        weights = [weight for weight in self.weights if weight.grad is not None]
        norm = torch.nn.utils.get_total_norm([weight.grad for weight in weights])
        if torch.isfinite(self.loss + norm):
            self.norm = norm
            if limit is not None:
                torch.nn.utils.clip_grads_with_norm_(weights, limit, norm)
        elif not torch.isfinite(self.loss):
            self.failed = "loss"
        elif scaler is None or scaler.get_scale() <= LOWEST_SCALE:
            self.failed = "gradient"
        if scaler is None:
            if not self.skipped:
                self.optimizer.step()
            return
        if not self.skipped:
            scaler.step(self.optimizer)
        scaler.update()


@contextlib.contextmanager
def frozen(weights: Iterable[nn.Parameter]) -> Iterator[None]:
    """No gradient reaches these weights; on exit, also on an error, they are trainable again."""
    weights = list(weights)
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


def copy_buffers(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """The buffers of networks, for `restore_buffers` should the iteration be skipped."""
    return {f"{name}.{key}": b.clone() for name, network in networks.items() for key, b in network.named_buffers()}


def restore_buffers(networks: Mapping[str, nn.Module], buffers: Mapping[str, Tensor]) -> None:
    for name, network in networks.items():
        for key, buffer in network.named_buffers():
            buffer.copy_(buffers[f"{name}.{key}"])
