"""Learning rates over time that PyTorch has only for functions, which a config cannot hold."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


class LinearDecay(LRScheduler):
    """The full rate for `start` iterations, then in a straight line to 0 at `end` (Zhu et al. 2017, section 4).

    It counts iterations, so that a run that is stopped and prolonged is the same as one that was not. A run longer
    than `end`, in which nothing more would be learnt, is refused before it begins.
    """

    def __init__(self, optimizer: Optimizer, start: int, end: int):
        if not 0 <= start < end:
            raise ValueError(f"start must lie below end, {start} and {end} do not")
        self.start, self.end = start, end
        super().__init__(optimizer)

    def get_lr(self) -> list[float | Tensor]:
        left = (self.end - self.last_epoch) / (self.end - self.start)
        return [rate * min(1.0, max(0.0, left)) for rate in self.base_lrs]


def ends(models: Mapping[str, Any]) -> dict[str, int]:
    """The `end` of each player's schedule in a node of models, after which its rate is 0; of players that have one."""
    schedules = {name: player.get("schedule") or {} for name, player in (models.get("players") or {}).items()}
    return {name: schedule["end"] for name, schedule in schedules.items() if isinstance(schedule.get("end"), int)}
