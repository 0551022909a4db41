"""Penalties on a discriminator's gradient at chosen points, for inputs of any rank, always in float32."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.linalg import vector_norm

from gantrain.checks import check_whole


class Penalty:
    """`weight * every * measure`, due at every `every`-th turn of its player.

    The factor `every` keeps the mean pull of a lazily applied penalty independent of how lazily it is applied
    (Karras et al. 2020, section 3.1).
    """

    mixes = False  # whether `points` needs a share of real and fake for each sample

    def __init__(self, weight: float, every: int = 1):
        check_whole(1, every=every)
        self.weight, self.every = weight, every

    def due(self, turn: int) -> bool:
        return turn % self.every == 0

    def points(self, real: Tensor, fake: Tensor, mix: Tensor | None = None) -> Tensor:
        """Where the gradient is measured: the real samples unless a subclass says otherwise.

        `mix` (n,) in [0, 1), where `mixes`, is drawn by the caller: a penalty must not touch the process' generator.
        """
        return real

    def measure(self, gradient: Tensor) -> Tensor:
        """The penalty of a batch whose flattened per-sample gradients are `gradient` (n, d)."""
        raise NotImplementedError

    def __call__(self, network_fn: Callable[..., Tensor], inputs: Tensor, cond: Tensor | None = None) -> Tensor:
        """A scalar; `network_fn(inputs)` or `network_fn(inputs, cond)` gives logits of any shape.

        Raises RuntimeError where the logits do not depend on the inputs, which would train nothing in silence.
        """
        inputs = inputs.detach().float().requires_grad_(True)
        with torch.autocast(inputs.device.type, enabled=False), torch.enable_grad():
            logits = network_fn(inputs) if cond is None else network_fn(inputs, cond)
            if not logits.requires_grad:
                raise RuntimeError("a penalty needs logits that depend on the inputs; these carry no graph")
            (gradient,) = torch.autograd.grad(logits.float().sum(), inputs, create_graph=True)
            return self.weight * self.every * self.measure(gradient.flatten(1))


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

    mixes = True

    def points(self, real: Tensor, fake: Tensor, mix: Tensor | None = None) -> Tensor:
        return torch.lerp(fake.float(), real.float(), mix.float().view(-1, *[1] * (real.dim() - 1)))


class GradientPenalty(_Between):
    """The mean squared distance of the gradient's norm to 1 (WGAN-GP, Gulrajani et al. 2017, equation 3).

    The weight is lambda.
    """

    def measure(self, gradient: Tensor) -> Tensor:
        return (vector_norm(gradient, dim=1) - 1).square().mean()


class WGANDiv(_Between):
    """The mean of the gradient's norm to the `power` (WGAN-div, Wu et al. 2018); weight and power are k and p."""

    def __init__(self, weight: float = 2.0, power: float = 6.0, every: int = 1):
        super().__init__(weight, every)
        if power <= 1:
            raise ValueError(f"power is {power}, it must be above 1")
        self.power = power

    def measure(self, gradient: Tensor) -> Tensor:
        return vector_norm(gradient, dim=1).pow(self.power).mean()
