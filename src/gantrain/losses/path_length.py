"""Path length regularisation: equal steps in w change pictures equally (Karras et al. 2020, section 3.2)."""

import math
from typing import Any

import torch
from torch import Tensor

from gantrain.losses.penalties import Penalty, PenaltyInputs, twice_differentiable
from gantrain.networks.precision import widened
from gantrain.parallel import average_scalars, world_size
from gantrain.ramps import Ramp


class PathLength(Penalty):
    """The squared distance of path lengths to their running mean, which moves by `move` towards a batch's mean.

    The running mean begins as the first batch's mean. If it began at 0, the penalty would pull all lengths towards 0
    for its first hundred turns, which are much of a short run.

    The path length of a sample is |J^T y|, with J the Jacobian of its picture with respect to its style (n, d). With
    one style for each layer, (n, layers, d), it is the root mean square over the layers. y is normal, divided by the
    root of the number of pixels. To save time only every second sample of the batch is used.

    The gradient also reaches the networks that made the styles. The running mean is the same on all processes, and is
    saved.
    """

    draws = "normal"

    def __init__(self, weight: float | Ramp = 2.0, every: int = 4, move: float = 0.01, of: str = "generator"):
        super().__init__(weight, every, of)
        if not 0 < move <= 1:
            raise ValueError(f"move is {move}, it must be above 0 and at most 1")
        self.move = move
        self.mean = torch.zeros(())

    def at(self, inputs: PenaltyInputs, mix: Tensor | None = None, weight: Tensor | None = None) -> Tensor:
        points, direction = widened(inputs.real[::2]), mix[::2]  # styles may be of autocast
        cond = () if inputs.cond is None else (inputs.cond[::2],)
        with twice_differentiable(points.device):
            if not points.requires_grad:
                points = points.detach().requires_grad_(True)
            samples = inputs.function(points, *cond)
            seen = (samples * direction).sum() / math.sqrt(samples.shape[2:].numel())
            (gradient,) = torch.autograd.grad(seen, points, create_graph=True)
            # The small constant keeps the root's slope finite where a picture does not change.
            lengths = (gradient.square().sum(-1).reshape(len(gradient), -1).mean(1) + 1e-12).sqrt()
            return self.weighted((lengths - self.moved(lengths)).square().mean(), weight)

    def moved(self, lengths: Tensor) -> Tensor:
        """The running mean after a batch of `lengths`; what is not finite does not move it."""
        now = average_scalars(lengths.mean(), world_size())
        self.mean = self.mean.to(now.device)  # stays where it is: a captured iteration writes into this very tensor
        moved = torch.where(self.mean == 0, now, self.mean + self.move * (now - self.mean))
        return self.mean.copy_(torch.where(torch.isfinite(now), moved, self.mean)).clone()

    def state_dict(self) -> dict[str, Any]:
        return {"mean": self.mean.cpu().clone()}

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Raises ValueError for what is no mean of lengths."""
        mean = state["mean"]
        if not isinstance(mean, Tensor) or mean.shape != () or mean.dtype != torch.float32 or not 0 <= mean < math.inf:
            raise ValueError("a mean path length is a finite number, 0 or above")
        self.mean = mean.to(device, copy=True)
