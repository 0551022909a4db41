"""A pool of earlier fakes, so that a discriminator does not forget what the generator made before."""

from typing import Any

import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.run.checkpoint import misfit


class ImagePool:
    """The last fakes, mixed (Shrivastava et al. 2017, section 2.3), as CycleGAN has it (Zhu et al. 2017, section 4).

    The first `size` fakes are kept and also returned. After that each fake is, with probability 1/2, returned itself;
    else it replaces a kept one, which is returned instead. Fakes that are not finite are never kept.

    The fakes of a batch come one after the other, so one may replace another of the same batch. All of it happens on
    their device, and the host does not wait.
    """

    def __init__(self, size: int = 50):
        check_whole(1, size=size)
        self.size = size
        self.kept: Tensor | None = None  # (size, ...), the first `count` of them are fakes
        self.count: Tensor | None = None

    def __call__(self, fakes: Tensor, swap: Tensor, place: Tensor) -> Tensor:
        """As many samples as `fakes` (n, ...), without gradient; `swap` and `place` (n,) are uniform in [0, 1).

        The caller draws them by key: a pool must not use the global random generator. Raises UserError where the
        pictures of a checkpoint have another shape.
        """
        fakes = fakes.detach()
        if self.kept is None:
            self.kept = fakes.new_zeros(self.size, *fakes.shape[1:])
            self.count = torch.zeros((), dtype=torch.int64, device=fakes.device)
        if self.kept.shape[1:] != fakes.shape[1:]:
            raise misfit(ValueError(f"pictures of {tuple(self.kept.shape[1:])}, not {tuple(fakes.shape[1:])}"))
        finite = torch.isfinite(fakes).flatten(1).all(1)
        given = []
        for i, fake in enumerate(fakes):
            room = self.count < self.size
            at = torch.where(room, self.count, (place[i].double() * self.size).long()).view(1)
            put = finite[i] & (room | (swap[i] < 0.5))
            there = self.kept[at][0]
            given.append(torch.where(put & ~room, there, fake))
            self.kept.index_copy_(0, at, torch.where(put, fake, there)[None].to(self.kept.dtype))
            self.count.add_(finite[i] & room)
        return torch.stack(given)

    def state_dict(self) -> dict[str, Any]:
        return {"kept": [] if self.kept is None else list(self.kept[: int(self.count)].cpu().clone().unbind())}

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
        self.kept = self.count = None
        if kept:
            self.kept = torch.zeros(self.size, *kept[0].shape, dtype=kept[0].dtype, device=device)
            self.kept[: len(kept)] = torch.stack(kept)
            self.count = torch.tensor(len(kept), device=device)
