"""Networks that begin with small pictures and grow: progressive growing (Karras et al. 2018, arXiv 1710.10196)."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.networks.precision import widened
from gantrain.networks.sizes import sizes_of


class Growing(nn.Module):
    """A network whose layers for each of `sizes`, from the smallest to `size`, join one size after the other.

    `side` is the side of the pictures that it makes or takes now. `fade`, from 0 to 1, says how far the layers of the
    newest size count; at 0 the network is that of the size before. Both are buffers, so that averaged copies, exports
    and resumed runs stand where it does. Until it is told otherwise it is grown up.
    """

    grown: Tensor
    fade: Tensor

    def __init__(self, size: int):
        super().__init__()
        self.sizes = sizes_of(size)
        self.side = size  # as `grown`, for the host, which waits for no device to learn it
        self.register_buffer("grown", torch.tensor(size))
        self.register_buffer("fade", torch.ones(()))

    def grow_to(self, size: int, fade: float) -> None:
        """Stand at `size`, with the newest layers at `fade`. Raises ValueError for a size that it does not have."""
        if size not in self.sizes:
            raise ValueError(f"it grows through {', '.join(map(str, self.sizes))} pixels")
        self.side = size
        self.grown.fill_(size)
        self.fade.fill_(fade)

    @property
    def active(self) -> list[int]:
        """The sizes whose layers are in use, from the smallest."""
        return self.sizes[: self.sizes.index(self.side) + 1]

    def check_side(self, images: Tensor) -> None:
        """Raise ValueError for pictures of another side than it takes now."""
        if images.shape[-1] != self.side:
            raise ValueError(f"it has grown to {self.side} pixels")

    def mixed(self, old: Tensor, new: Tensor) -> Tensor:
        """`old` at fade 0 and `new` at 1, exactly; between them in proportion."""
        return torch.lerp(widened(old), widened(new), self.fade)

    def picture(self, to_rgb: nn.ModuleDict, maps: Sequence[Tensor]) -> Tensor:
        """The picture of the maps of each size, from the smallest: of the newest, faded in over the one before it."""
        new = to_rgb[str(self.side)](maps[-1])
        if len(maps) == 1:
            return widened(new)
        return self.mixed(doubled(to_rgb[str(self.active[-2])](maps[-2])), new)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Refuse sizes and fades that no such network has: what is loaded may be a stranger's."""
        errors = rest[-1]
        grown, fade = state.get(f"{prefix}grown"), state.get(f"{prefix}fade")
        if grown is not None and (grown.numel() != 1 or grown.item() not in self.sizes):
            errors.append(f"{prefix}grown is none of the sizes {', '.join(map(str, self.sizes))}")
        elif fade is not None and (fade.numel() != 1 or not 0 <= fade.item() <= 1):
            errors.append(f"{prefix}fade is not from 0 to 1")
        else:
            super()._load_from_state_dict(state, prefix, *rest)
            self.side = self.side if grown is None else int(grown)


def doubled(x: Tensor) -> Tensor:
    """Maps or pictures of twice the side: each value four times."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


def halved(x: Tensor) -> Tensor:
    """Maps or pictures of half the side: means of four values."""
    return F.avg_pool2d(x, 2)
