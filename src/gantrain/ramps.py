"""Numbers that change over the images seen: rates, moments' memory, weights, half-lives."""

import math

from gantrain.checks import check_whole


class Ramp:
    """From `first` to `last`, which it reaches after `images` of all processes and keeps.

    A function of the images seen alone: a run that is stopped, prolonged or continued with other batches has the same
    numbers as one that was not, and a checkpoint need not hold them.
    """

    def __init__(self, first: float, last: float, images: int):
        check_whole(1, images=images)
        self.first, self.last, self.images = first, last, images

    def share(self, done: float) -> float:
        """How much of the way is gone after the share `done` in [0, 1] of the images."""
        raise NotImplementedError

    def at(self, images_seen: int) -> float:
        share = self.share(min(1.0, images_seen / self.images))
        return (1 - share) * self.first + share * self.last


class Linear(Ramp):
    """In a straight line."""

    def share(self, done: float) -> float:
        return done


class Cosine(Ramp):
    """Along half a cosine: slowly at both ends (Loshchilov and Hutter 2017, arXiv 1608.03983, without restarts)."""

    def share(self, done: float) -> float:
        return (1 - math.cos(math.pi * done)) / 2


def at(value: float | Ramp, images_seen: int) -> float:
    """A number now, whether it changes or not."""
    return value.at(images_seen) if isinstance(value, Ramp) else value


def check_ramp(**values: float | Ramp | None) -> None:
    """Raise ValueError for a value, by its name, that is negative somewhere; null passes."""
    for name, value in values.items():
        ends = (value.first, value.last) if isinstance(value, Ramp) else (value,)
        if any(end is not None and end < 0 for end in ends):
            raise ValueError(f"{name} is {' to '.join(map(str, ends))}, it must not be negative")
