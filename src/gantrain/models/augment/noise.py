"""Instance noise (Soenderby et al. 2017, arXiv 1610.04490): D sees real and fake samples under noise."""

from torch import Tensor

from gantrain.checks import check_positive, check_whole
from gantrain.data.batch import Batch
from gantrain.models.augment.shown import Augment
from gantrain.models.family import Family
from gantrain.ramps import Linear, Ramp, at, check_ramp


class InstanceNoise(Augment):
    """Normal noise of deviation `std`, which falls in a straight line to 0 over `images` seen; null keeps it.

    A deviation that changes in another way is a `Ramp`, without `images`.
    """

    def __init__(self, std: float | Ramp = 0.1, images: int | None = None):
        check_whole(1, images=images)
        self.std: float | Ramp = std
        if not isinstance(std, Ramp):
            check_positive(std=std)
            self.std = std if images is None else Linear(std, 0.0, images)
        elif images is not None:
            raise ValueError(f"images is {images}, but std says itself over how many it changes; leave images null")
        check_ramp(std=std)

    def drawn(self, game: Family, batch: Batch, like: Tensor, key: str) -> Tensor | None:
        # The host's count is read here, outside of what is recorded: the noise comes in with its deviation.
        std = at(self.std, game.images_seen)
        return std * game.noise(batch, *like.shape[1:], key=key) if std else None

    def __call__(self, samples: Tensor, drawn: Tensor) -> Tensor:
        return samples + drawn
