"""A player's turn: its inputs, its results, and the optimizer step."""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gantrain.losses.penalties import Penalty
from gantrain.models.loop.batch import Scalars

# If gradients are not finite at a loss scale this low, the cause is no overflow of float16.
LOWEST_SCALE = 2.0**-10


@dataclass
class Turn:
    """One player's turn in one iteration.

    Inputs: `plays` is False while the player idles; `due` are the penalties of this turn.

    Results: `parts` counts the microbatches whose penalties are computed; `terms` are the weighted losses and `loss` is
    their sum, averaged over processes; `norm` is the norm of the gradient, unscaled and before clipping. If the loss or
    the gradient is not finite, no step is made. On the CPU `failed` says which of the two; on a GPU the flags `bad` and
    `bad_loss` stay on the device, so that the host need not wait.
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
        """Terms, statistics and the norm of the gradient, under tags that begin with `prefix`."""
        norm = {} if self.norm is None else {"grad_norm": self.norm}
        return {f"{prefix}{self.player}/{key}": value for key, value in {**self.terms, **self.stats, **norm}.items()}

    def step(self, limit: float | None, scaler: Any = None, on_device: bool = False) -> None:
        """Make the optimizer's step, with the norm of the gradient clipped to `limit`; no step where a value is not
        finite.

        `scaler` is the gradient scaler of float16, or None. An overflow of float16 is no failure: the scaler skips that
        step and lowers its scale. With `on_device` the device decides, and the host does not wait for the result.
        """
        if scaler is not None:
            scaler.unscale_(self.optimizer)  # first: norm and limit are those of the unscaled gradient
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
    """Make the step unless `bad` is true; then weights and moments stay as they are. The host does not wait."""
    if all(group.get("fused") for group in optimizer.param_groups):
        optimizer.found_inf = bad.float()  # fused kernels read this flag themselves
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
                    past = before[id(weight)].get(key, torch.zeros_like(now))  # no state before the first step
                    now.copy_(torch.where(bad.to(now.device), past, now))


@contextlib.contextmanager
def frozen(weights: Iterable[nn.Parameter]) -> Iterator[None]:
    """While entered, these weights get no gradient; on exit, also after an error, they are trainable again."""
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
    """Put networks into the state between turns: `trained` ones in train mode, all others frozen and in eval mode."""
    for name, network in networks.items():
        network.train(name in trained)
        network.requires_grad_(False)
        for parameter in trainable[name] if name in trained else ():
            parameter.requires_grad_(True)


def copy_buffers(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """A copy of the networks' buffers, which `restore_buffers` puts back if the iteration is skipped."""
    return {f"{name}.{key}": b.clone() for name, network in networks.items() for key, b in network.named_buffers()}


def restore_buffers(
    networks: Mapping[str, nn.Module], buffers: Mapping[str, Tensor], where: Tensor | None = None
) -> None:
    """Put the buffers back; with `where` only where that flag is true."""
    for name, network in networks.items():
        for key, buffer in network.named_buffers():
            before = buffers[f"{name}.{key}"]
            buffer.copy_(before if where is None else torch.where(where, before, buffer))
