"""A run's parts from its config."""

from pathlib import Path

import pytest
import torch
from refusals import refused
from torch.optim.lr_scheduler import LinearLR, ReduceLROnPlateau, SequentialLR
from toys import game, player

from gantrain.errors import UserError
from gantrain.training.assemble import check_optimizers


class OnMetric(torch.optim.lr_scheduler.LRScheduler):
    def get_lr(self):
        return self.base_lrs

    def step(self, metric=None):
        super().step()

    def of_metric(self, metric):
        self.step()


def with_schedule(schedule):
    return game(generator=player("generator", schedule=schedule))


def nested(optimizer):
    return SequentialLR(optimizer, [LinearLR(optimizer), LinearLR(optimizer)], [3])


def test_schedules_of_iterations_pass():
    for schedule in (LinearLR, nested, OnMetric):
        check_optimizers(with_schedule(schedule))


def test_schedules_that_need_a_metric_are_refused():
    def wanting(optimizer):
        schedule = OnMetric(optimizer)
        schedule.step = schedule.of_metric
        return schedule

    def within(optimizer):
        schedule = nested(optimizer)
        schedule._schedulers[1] = ReduceLROnPlateau(optimizer)
        return schedule

    for schedule in (ReduceLROnPlateau, wanting, within):
        with pytest.raises(UserError, match=r"models\.players\.generator\.schedule: \w+ steps by a metric.*LinearLR"):
            check_optimizers(with_schedule(schedule))


def test_they_are_refused_before_anything_is_written(gantrain):
    schedule = "{_target_: torch.optim.lr_scheduler.ReduceLROnPlateau}"
    result = gantrain(
        "experiment=dcgan_mnist", "debug=tiny", f"models.players.generator.schedule={schedule}", "hydra.run.dir=run"
    )
    refused(result, "models.players.generator.schedule", "ReduceLROnPlateau", "LinearLR")
    assert not Path("run").exists()
