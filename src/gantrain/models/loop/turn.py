"""A player's turn: whose it is, on what, what came of it, and its step."""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
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
    """One player's turn in one iteration.

    Decided before it: `plays` is False while the player idles; `due` are the penalties of this turn.

    Filled in by it: `parts` counts the microbatches that have paid penalties so far; `terms` are the weighted losses
    and `loss` is their sum, the mean over processes; `norm` is that of the gradient, unscaled and before clipping.
    Where the loss or the gradient is not finite, no step is made. On the CPU `failed` says at once which of them. A GPU
    keeps the flags `bad` and `bad_loss`, and the host does not wait.
    """

    player: str
    networks: list[nn.Module]
    weights: list[nn.Parameter]
    optimizer: Optimizer
    images_seen: int
    plays: bool = True
    due: Mapping[str, Penalty] = field(default_factory=dict)
    parts: int = 0
    terms: Scalars = field(default_factory=dict)
    stats: Scalars = field(default_factory=dict)
    loss: Tensor | None = None
    norm: Tensor | None = None
    failed: str | None = None
    bad: Tensor | None = None
    bad_loss: Tensor | None = None

    def scalars(self, prefix: str) -> Scalars:
        """What is recorded of it: terms, statistics and the gradient's norm, by tags that begin with `prefix`."""
        norm = {} if self.norm is None else {"grad_norm": self.norm}
        return {f"{prefix}{self.player}/{key}": value for key, value in {**self.terms, **self.stats, **norm}.items()}

    def step(self, limit: float | None, scaler: Any = None, on_device: bool = False) -> None:
        """The optimizer's step, with the gradient's norm bounded by `limit`; none where a value is not finite.

        `scaler` is fp16's, or None. An overflow of fp16 is no failure: the scaler skips that step and lowers its scale.
        `on_device` leaves the decision to the device; the host neither waits for it nor knows it.
        """
        if scaler is not None:
            scaler.unscale_(self.optimizer)  # first: limits and norms are those of the gradient itself
        weights = [weight for weight in self.weights if weight.grad is not None]
        norm = torch.nn.utils.get_total_norm([weight.grad for weight in weights])
        if on_device:
            self.norm, self.bad, self.bad_loss = norm, ~torch.isfinite(self.loss + norm), ~torch.isfinite(self.loss)
            if limit is not None:
                torch.nn.utils.clip_grads_with_norm_(weights, limit, norm)
            step_unless(self.bad, self.optimizer, weights)
            return
        if torch.isfinite(self.loss + norm):
            self.norm = norm
            if limit is not None:
                torch.nn.utils.clip_grads_with_norm_(weights, limit, norm)
        elif not torch.isfinite(self.loss):
            self.failed = "loss"
        elif scaler is None or scaler.get_scale() <= LOWEST_SCALE:
            self.failed = "gradient"
        if self.failed is None:
            self.optimizer.step() if scaler is None else scaler.step(self.optimizer)
        if scaler is not None:
            scaler.update()


def step_unless(bad: Tensor, optimizer: Any, weights: Iterable[nn.Parameter]) -> None:
    """The optimizer's step where `bad` is false; else weights and moments stay as they are. The host does not wait."""
    if all(group.get("fused") for group in optimizer.param_groups):
        optimizer.found_inf = bad.float()  # a fused kernel looks at this flag by itself
        try:
            optimizer.step()
        finally:
            del optimizer.found_inf
        return
    before = {
        id(weight): {k: v.clone() for k, v in optimizer.state[weight].items() if torch.is_tensor(v)}
        for weight in weights
    }
    values = [weight.detach().clone() for weight in weights]
    optimizer.step()
    with torch.no_grad():
        for weight, value in zip(weights, values, strict=True):
            weight.copy_(torch.where(bad, value, weight))
            for key, now in optimizer.state[weight].items():
                if torch.is_tensor(now):
                    past = before[id(weight)].get(key, torch.zeros_like(now))  # of a first step there is none
                    now.copy_(torch.where(bad.to(now.device), past, now))


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


def put_at_rest(
    networks: Mapping[str, nn.Module], trainable: Mapping[str, Iterable[nn.Parameter]], trained: Collection[str]
) -> None:
    """The state between turns: networks that are `trained` in train mode; others without gradients, in eval mode."""
    for name, network in networks.items():
        network.train(name in trained)
        network.requires_grad_(False)
        for parameter in trainable[name] if name in trained else ():
            parameter.requires_grad_(True)


def copy_buffers(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """The buffers of networks, for `restore_buffers` should the iteration be skipped."""
    return {f"{name}.{key}": b.clone() for name, network in networks.items() for key, b in network.named_buffers()}


def restore_buffers(
    networks: Mapping[str, nn.Module], buffers: Mapping[str, Tensor], where: Tensor | None = None
) -> None:
    """Put the buffers back; with `where` only where that flag is true."""
    for name, network in networks.items():
        for key, buffer in network.named_buffers():
            before = buffers[f"{name}.{key}"]
            buffer.copy_(before if where is None else torch.where(where, before, buffer))
