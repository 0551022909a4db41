"""Penalties on a player's networks: on their gradient at chosen points, for inputs of any rank, or on their weights.

Penalties on gradients are computed in float32.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm
from torch.nn.attention import SDPBackend, sdpa_kernel

from gantrain.checks import check_whole
from gantrain.ramps import Ramp, check_ramp

Draws = Literal["sample", "value", "normal"]


@dataclass(frozen=True)
class PenaltyInputs:
    """What the penalties of a turn look at: a function of samples (and `cond`), real samples and fake ones.

    The function is a discriminator, which may judge `pack` samples together, or a generator. A generator's latents then
    stand for both kinds of samples, and the numbers of a sample that it makes for a discriminator's logits.
    """

    function: Callable[..., Tensor]
    real: Tensor
    fake: Tensor
    cond: Tensor | None = None
    pack: int = field(default=1, kw_only=True)


class Penalty:
    """`weight * every * measure`, in the loss of player `of` at every `every`-th of its turns.

    It costs a forward and two backward passes of its own; playing it only every `every`-th turn divides this cost. The
    factor `every` keeps its mean strength the same (lazy regularisation, Karras et al. 2020, section 3.1). Where one
    player, `discriminators`, has two networks, each of them is penalised. A weight that changes over training, a
    `Ramp`, is given with each call.
    """

    looks_at: Literal["samples", "weights"] = "samples"  # the base calls `at` for samples, `of_weights` for weights
    # The random numbers it needs: `sample` a uniform one per sample, `value` a uniform and `normal` a normal one for
    # each value of a sample.
    draws: Draws | None = None

    def __init__(self, weight: float | Ramp, every: int = 1, of: str = "discriminator"):
        check_whole(1, every=every)
        check_ramp(weight=weight)
        self.weight, self.every, self.of = weight, every, of

    def is_of(self, player: str) -> bool:
        return player in (self.of, f"{self.of}s")

    def due(self, turn: int) -> bool:
        """Whether it is in this turn of its player, counted from 0."""
        return turn % self.every == 0

    def at(self, inputs: PenaltyInputs, mix: Tensor | None = None, weight: Tensor | None = None) -> Tensor:
        """The penalty of a turn; `mix` are its random numbers. A `weight`, if given, replaces its own."""
        if inputs.pack > 1 and self.draws == "sample":  # one number for a pack, so that packs lie on a straight line
            mix = mix[:: inputs.pack].repeat_interleave(inputs.pack)
        return self(inputs.function, self.points(inputs.real, inputs.fake, mix), inputs.cond, weight)

    def of_weights(self, weights: Sequence[nn.Parameter], weight: Tensor | None = None, first: bool = True) -> Tensor:
        """The penalty of a turn where `looks_at` is `weights`; `weight` as for `at`.

        With microbatches it is called once for each part of a turn; `first` is True for the first part.
        """
        raise NotImplementedError

    def weighted(self, value: Tensor, weight: Tensor | None = None) -> Tensor:
        """What the player pays for the plain `value`; `weight` as for `at`."""
        scale: Any = self.weight if weight is None else weight
        return scale * self.every * value

    def points(self, real: Tensor, fake: Tensor, mix: Tensor | None = None) -> Tensor:
        """Where the gradient is measured: the real samples unless a subclass says otherwise.

        `mix`, uniform in [0, 1), is (n,) or shaped like `real`, as `draws` says. The caller draws it: a penalty must
        not use the global random generator.
        """
        return real

    def measure(self, gradient: Tensor) -> Tensor:
        """The penalty of a batch whose flattened per-sample gradients are `gradient` (n, d)."""
        raise NotImplementedError

    def __call__(
        self,
        network_fn: Callable[..., Tensor],
        inputs: Tensor,
        cond: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """A scalar; `network_fn(inputs)` or `network_fn(inputs, cond)` gives logits (n, ...).

        The gradient is that of a sample's mean logit, as losses take their mean. Reference implementations
        differentiate the sum: for a critic with N logits per sample their lambda acts N times, their gamma N^2 times
        as strongly. A critic of packs of samples gives a logit for each pack; the gradient is then a pack's.

        Raises RuntimeError where the logits do not depend on the inputs: the penalty would silently train nothing.
        """
        inputs = inputs.detach().float().requires_grad_(True)
        if cond is not None and cond.is_floating_point():
            cond = cond.float()  # an embedding that autocast made
        with twice_differentiable(inputs.device):
            logits = network_fn(inputs) if cond is None else network_fn(inputs, cond)
            if not logits.requires_grad:
                raise RuntimeError("a penalty needs logits that depend on the inputs; these carry no graph")
            decisions = logits.float().flatten(1).mean(1) if logits.dim() > 1 else logits.float()
            (gradient,) = torch.autograd.grad(decisions.sum(), inputs, create_graph=True)
            return self.weighted(self.measure(gradient.reshape(len(decisions), -1)), weight)


@contextlib.contextmanager
def twice_differentiable(device: torch.device) -> Iterator[None]:
    """Compute in float32, with attention whose gradient has a gradient itself."""
    with torch.autocast(device.type, enabled=False), torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
        yield


class R1(Penalty):
    """Half the mean squared gradient norm at real samples (Mescheder et al. 2018, equation 9); weight is gamma."""

    def measure(self, gradient: Tensor) -> Tensor:
        return 0.5 * gradient.square().sum(1).mean()


class R2(R1):
    """Half the mean squared gradient norm at fake samples (Mescheder et al. 2018, equation 10); weight is gamma."""

    def points(self, real: Tensor, fake: Tensor, mix: Tensor | None = None) -> Tensor:
        return fake


class _Between(Penalty):
    """Shared by penalties at random points on the straight lines between real and fake samples."""

    draws: Draws = "sample"

    def points(self, real: Tensor, fake: Tensor, mix: Tensor | None = None) -> Tensor:
        return torch.lerp(fake.float(), real.float(), mix.float().view(-1, *[1] * (real.dim() - 1)))


class GradientPenalty(_Between):
    """The mean squared distance of the gradient's norm to 1 (WGAN-GP, Gulrajani et al. 2017, equation 3).

    The weight is lambda.
    """

    def measure(self, gradient: Tensor) -> Tensor:
        return (vector_norm(gradient, dim=1) - 1).square().mean()


class DRAGAN(GradientPenalty):
    """`GradientPenalty` at points around the real samples (DRAGAN, Kodali et al. 2017, arXiv 1705.07215, algorithm 1).

    Each value is raised by up to half the standard deviation of the batch's values, never lowered, as in the authors'
    code. The weight is lambda.
    """

    draws = "value"

    def points(self, real: Tensor, fake: Tensor, mix: Tensor | None = None) -> Tensor:
        real = real.float()
        return real + 0.5 * real.std() * mix


class WGANDiv(_Between):
    """The mean of the gradient's norm to the `power` (WGAN-div, Wu et al. 2018); weight and power are k and p."""

    def __init__(self, weight: float | Ramp = 2.0, power: float = 6.0, every: int = 1, of: str = "discriminator"):
        super().__init__(weight, every, of)
        if power <= 1:
            raise ValueError(f"power is {power}, it must be above 1")
        self.power = power

    def measure(self, gradient: Tensor) -> Tensor:
        return vector_norm(gradient, dim=1).pow(self.power).mean()


class HistoricalAveraging(Penalty):
    """The mean squared distance of a player's weights to their own mean over its turns (Salimans et al. 2016, section
    3.3), which is saved with the run. The paper gives no weight for it.
    """

    looks_at = "weights"

    def __init__(self, weight: float | Ramp = 1e-3, every: int = 1, of: str = "discriminator"):
        super().__init__(weight, every, of)
        self.means: list[Tensor] = []
        self.turns: Tensor | None = None

    def of_weights(self, weights: Sequence[nn.Parameter], weight: Tensor | None = None, first: bool = True) -> Tensor:
        if first:
            self.note([now.detach() for now in weights])
        apart = [(now - mean).square().sum() for now, mean in zip(weights, self.means, strict=True)]
        return self.weighted(torch.stack(apart).sum(), weight) / sum(now.numel() for now in weights)

    @torch.no_grad()
    def note(self, weights: Sequence[Tensor]) -> None:
        """Update the running means with the present weights, in place: a recorded iteration reads these tensors."""
        if self.turns is None:
            self.means = [torch.zeros_like(weight) for weight in weights]
            self.turns = torch.zeros((), device=weights[0].device)
        self.turns += 1
        for mean, weight in zip(self.means, weights, strict=True):
            mean.lerp_(weight, 1 / self.turns)

    def state_dict(self) -> dict[str, Any]:
        turns = 0 if self.turns is None else int(self.turns)
        return {"turns": turns, "means": [mean.cpu().clone() for mean in self.means]}

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Raises ValueError for what no training could have left."""
        turns, means = state["turns"], state["means"]
        if type(turns) is not int or turns < 0 or not isinstance(means, list) or bool(means) != bool(turns):
            raise ValueError("historical averaging keeps a number of turns and a mean for each weight")
        if not all(torch.is_tensor(mean) and mean.is_floating_point() for mean in means):
            raise ValueError("the means of weights are numbers")
        self.means, self.turns = [], None
        if turns:
            self.means = [mean.to(device, copy=True) for mean in means]
            self.turns = torch.tensor(float(turns), device=device)
