"""Ends a trial of a search whose scores on the way are worse than those of others (`gantrain tune`)."""

from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl

from gantrain.evaluation.best import score_of
from gantrain.models.base import GANModule
from gantrain.run.folder import Run
from gantrain.run.scores import read_scores


class Pruning(pl.Callback):
    """Ends training if `hopeless(iteration, cost)` says so after a score; lower costs are better.

    Scores are measured every `every` iterations (None: only at the end); `best` names the score (None: the first).
    """

    def __init__(self, hopeless: Callable[[int, float], bool], every: int | None, best: str | None):
        self.hopeless, self.every, self.best = hopeless, every, best
        self.pruned = False

    def on_train_batch_end(self, trainer: pl.Trainer, module: GANModule, *args: Any) -> None:
        if self.every is None or module.iteration % self.every or module.iteration >= module.length:
            return
        records = read_scores(Run(trainer.default_root_dir).folder)
        if records and records[-1].iteration == module.iteration:
            cost = score_of(records[-1].result, self.best)[1].cost()
            self.pruned = self.hopeless(module.iteration, cost)
            trainer.should_stop = trainer.should_stop or self.pruned
