"""Scores as training goes on, and the best checkpoint by one of them."""

import math
import time
from typing import Any

import pytorch_lightning as pl

from gantrain.callbacks.checkpoints import Checkpoints
from gantrain.callbacks.trainer import Trainer
from gantrain.config.stages import ONLY_STAGE
from gantrain.drawing.text import place
from gantrain.evaluation.base import Evaluation
from gantrain.evaluation.best import best_of, score_of
from gantrain.models.base import GANModule
from gantrain.models.loop.eval_mode import undisturbed
from gantrain.parallel import largest
from gantrain.run.folder import Run
from gantrain.run.scores import Record, add_scores, read_scores


class Scores(pl.Callback):
    """Writes the scores of `evaluation`, every so many iterations and at the end of a stage, into scores.jsonl and the
    loggers.

    Measuring never changes training: modes and global generators are restored. `checkpoints/<stage>/best.ckpt` is the
    checkpoint with the best score so far.
    """

    def __init__(self, evaluation: Evaluation):
        self.evaluation, self.every = evaluation, evaluation.every
        self._measured = -1

    def on_train_batch_end(self, trainer: Trainer, module: GANModule, *args: Any) -> None:
        if self.every is not None and module.iteration % self.every == 0:
            self.measure(trainer, module)

    def on_train_end(self, trainer: Trainer, module: GANModule) -> None:
        if module.iteration >= module.length and module.iteration != self._measured:
            self.measure(trainer, module)

    def measure(self, trainer: Trainer, module: GANModule) -> None:
        """Measure on rank 0, if the stage is to be measured; all processes take part in a checkpoint of the best."""
        if not self.evaluation.applies(module.stage):
            return
        self._measured = module.iteration
        is_best = trainer.is_global_zero and self._measure(trainer, module)
        (keep,) = largest([int(is_best)], module.device, trainer.world_size)
        if keep:
            next(c for c in trainer.callbacks if isinstance(c, Checkpoints)).best = True

    def _measure(self, trainer: Trainer, module: GANModule) -> bool:
        """Measure, record and print the scores; returns whether they are the best so far."""
        began = time.monotonic()
        with undisturbed(module, module.device):
            result = self.evaluation.measure(module, trainer.datamodule)
        seconds = round(time.monotonic() - began, 3)
        latest = Record(module.stage or ONLY_STAGE, module.iteration, module.images_seen, seconds, result)
        folder = Run(trainer.default_root_dir).folder
        name, score = score_of(result, self.evaluation.best)
        best = best_of(read_scores(folder), latest, self.evaluation.best)
        is_best = best is latest and math.isfinite(score.value)
        add_scores(folder, latest)
        points = {f"{module.prefix}scores/{name}": score.value for name, score in result.scores.items()}
        for logger in trainer.loggers:
            logger.log_metrics(points, step=module.iteration)
        if module.iteration < module.length:  # at the end all are told
            print(f"{place(module.stage, module.iteration, module.length)}  {name} {score}", flush=True)
        return is_best
