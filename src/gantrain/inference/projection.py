"""A generator of latents that fills holes: of all its pictures the one nearest to what is known (Yeh et al. 2017)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gantrain.drawing.progress import track

PRIOR = 0.01  # of a latent's mean square, beside the mean absolute difference of pixels


class Projection(nn.Module):
    """Pictures with holes (n, channels + 1, size, size) to whole ones that `generator` makes of latents.

    Several latents, as `latents(n)` gives them, are moved by Adam for so many steps, each of its own class where there
    are `classes`; the one that ends nearest to the known pixels is taken. One picture has one result.
    """

    def __init__(
        self,
        generator: nn.Module,
        latents: Callable[[int], Tensor],
        classes: int | None = None,
        starts: int = 8,
        steps: int = 200,
        rate: float = 0.05,
    ):
        super().__init__()
        self.generator, self.latents, self.classes = generator, latents, classes
        self.starts, self.steps, self.rate = max(starts, classes or 0), steps, rate

    def forward(self, cond: Tensor) -> Tensor:
        return torch.stack([self.nearest(one[:-1], one[-1:] == 0) for one in cond])

    def nearest(self, picture: Tensor, known: Tensor) -> Tensor:
        """The picture (c, size, size) that is nearest to one where it is `known` (1, size, size)."""
        z = self.latents(self.starts).to(picture.device).requires_grad_()
        given = (torch.arange(self.starts, device=picture.device) % self.classes,) if self.classes else ()
        optimizer = torch.optim.Adam([z], lr=self.rate)
        with torch.enable_grad():
            for _ in track(range(self.steps), self.steps, "steps of the latents"):
                costs = self.costs(z, self.generator(z, *given), picture, known)
                optimizer.zero_grad()
                costs.sum().backward(inputs=[z])
                optimizer.step()
        with torch.no_grad():
            made = self.generator(z, *given)
            return made[self.costs(z, made, picture, known).argmin()]

    def costs(self, z: Tensor, made: Tensor, picture: Tensor, known: Tensor) -> Tensor:
        """What each latent costs (starts,)."""
        apart = ((made - picture).abs() * known).flatten(1).sum(1) / (known.sum() * len(picture)).clamp(min=1)
        return apart + PRIOR * z.square().mean(1)
