"""Networks that grow with the pictures of their stage: progressive growing (Karras et al. 2018, arXiv 1710.10196)."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from gantrain.checks import check_whole
from gantrain.errors import UserError
from gantrain.models.loop.batch import Scalars
from gantrain.networks.growing import doubled, halved


@runtime_checkable
class Grows(Protocol):
    """A network that begins with small pictures, as `gantrain.networks.growing.Growing`; it has `side` and `fade`."""

    def grow_to(self, size: int, fade: float) -> None: ...


class Growth:
    """Sets the growing networks among `networks` to the size of a stage's data.

    Over the first `fade_images` images of the stage their newest layers fade in. Real pictures are faded alike: from
    their half-size versions, doubled, to themselves. Without `fade_images` nothing fades.
    """

    def __init__(self, networks: Mapping[str, nn.Module], fade_images: int | None):
        check_whole(1, fade_images=fade_images)
        self.networks: dict[str, Any] = {name: part for name, part in networks.items() if isinstance(part, Grows)}
        self.fade_images = fade_images
        self.size = next((network.side for network in self.networks.values()), None)

    def check(self, size: int) -> None:
        """Set the networks to the data's `size`. Raises UserError where they do not have it."""
        if self.fade_images and not self.networks:
            raise UserError(
                "models.fade_images: none of the networks grows; choose networks=pggan or stylegan1, or leave it null"
            )
        self.size = size
        for name, network in self.networks.items():
            try:
                network.grow_to(size, 1.0)
            except ValueError as error:
                raise UserError(f"networks.{name} does not take data.size={size}: {error}") from error

    def move(self, images_seen: int) -> None:
        """Set size and fade of the networks to their values after so many images of the stage."""
        for network in self.networks.values():
            network.grow_to(self.size, self.fade(images_seen))

    def fade(self, images_seen: int) -> float:
        return min(1.0, images_seen / self.fade_images) if self.fade_images else 1.0

    def statistics(self) -> Scalars:
        """The fade, as a statistic of a turn, where something fades in."""
        return {"fade": self.now.clone()} if self.fade_images else {}

    @property
    def now(self) -> Tensor:
        """The present fade, a tensor on the networks' device."""
        return next(iter(self.networks.values())).fade

    def shown(self, real: Tensor) -> Tensor:
        """Real pictures, faded like the fakes of networks whose newest layers fade in."""
        if not self.fade_images:
            return real
        return torch.lerp(doubled(halved(real)), real, self.now)
