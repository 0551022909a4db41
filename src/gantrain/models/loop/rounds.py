"""How many iterations are played before the callbacks look again.

Around each of its steps Lightning's loop does half a millisecond's work on a slow core: as much as a small network's
whole recorded iteration takes the GPU.
"""

import time
from collections.abc import Iterable, Iterator

LONGEST = 0.1  # seconds: so late may a signal or a clock be noticed


def one(iteration: int, length: int) -> Iterable[int]:
    """A round of a single iteration, for iterations that take much longer than the work around them."""
    return (iteration,)


class Rounds:
    """Rounds end where a callback has something to do, and after `LONGEST` at the latest.

    Callbacks act after the first iteration, and at multiples of each number in `rhythms`. Some compare the weights
    before and after a single iteration: multiples of the numbers in `alone` are rounds of their own.
    """

    def __init__(self, rhythms: Iterable[int], alone: Iterable[int] = ()):
        self.rhythms, self.alone = list(rhythms), list(alone)

    def __call__(self, iteration: int, length: int) -> Iterator[int]:
        """The numbers of the iterations that follow `iteration`, where the stage ends at `length`."""
        ends = [iteration - iteration % every + every for every in self.rhythms]
        ends += [iteration - (iteration + 1) % every + every for every in self.alone]
        end = min([length, *ends]) if iteration else 1
        late = time.monotonic() + LONGEST
        while iteration < end:
            yield iteration
            iteration += 1
            if time.monotonic() >= late:
                return
