"""A memory of fakes, so that a discriminator does not forget what the generator made earlier."""

from typing import Any

import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.run.checkpoint import misfit


class ImagePool:
    """The last fakes, mixed (Shrivastava et al. 2017, section 2.3), as CycleGAN has it (Zhu et al. 2017, section 4).

    The first `size` fakes are kept and given back at once. After that each is, with probability 1/2, given back at
    once, else takes the place of one that is kept, which is given back instead. What is not finite is never kept.
    """

    def __init__(self, size: int = 50):
        check_whole(1, size=size)
        self.size = size
        self.kept: list[Tensor] = []

    def __call__(self, fakes: Tensor, swap: Tensor, place: Tensor) -> Tensor:
        """As many samples as `fakes` (n, ...), without gradient; `swap` and `place` (n,) are uniform in [0, 1).

        The caller draws them, by key: a pool must not touch the process' generator. Raises UserError where what a
        checkpoint kept has another shape.
        """
        given = []
        fakes = fakes.detach()
        if self.kept and self.kept[0].shape != fakes.shape[1:]:
            raise misfit(ValueError(f"pictures of {tuple(self.kept[0].shape)}, not {tuple(fakes.shape[1:])}"))
        draws = zip(
            (swap < 0.5).tolist(), place.tolist(), torch.isfinite(fakes).flatten(1).all(1).tolist(), strict=True
        )
        for fake, (change, at, finite) in zip(fakes, draws, strict=True):
            given.append(fake)
            if finite and len(self.kept) < self.size:
                self.kept.append(fake.clone())
            elif finite and change:
                i = int(at * self.size)
                given[-1], self.kept[i] = self.kept[i], fake.clone()
        return torch.stack(given)

    def state_dict(self) -> dict[str, Any]:
        return {"kept": [image.cpu() for image in self.kept]}

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Raises ValueError for what no pool of this size could have kept."""
        kept = state["kept"]
        if not isinstance(kept, list) or not all(isinstance(image, Tensor) for image in kept):
            raise ValueError("a pool keeps a list of pictures")
        if len(kept) > self.size:
            raise ValueError(f"a pool of {self.size} cannot keep {len(kept)} pictures")
        if len({image.shape for image in kept}) > 1:
            raise ValueError("the pictures of a pool are of one shape")
        if not all(image.is_floating_point() and torch.isfinite(image).all() for image in kept):
            raise ValueError("the pictures of a pool are finite")
        self.kept = [image.to(device) for image in kept]
