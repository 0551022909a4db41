"""Means of losses and statistics, every few iterations, into metrics.jsonl and the loggers."""

import json
import time
from typing import Any

import pytorch_lightning as pl
import torch

from gantrain.checks import check_whole
from gantrain.config.stages import ONLY_STAGE
from gantrain.models.base import GANModule
from gantrain.parallel import average_scalars
from gantrain.run.folder import Run


class Metrics(pl.Callback):
    """Every `every` iterations writes a line of metrics.jsonl and a point of each curve: means since the last line."""

    def __init__(self, every: int = 50):
        check_whole(1, every=every)
        self.every = every
        self.latest: dict[str, float] = {}
        self._since = (0.0, 0)
        self._started = 0.0

    def on_train_start(self, trainer: pl.Trainer, module: GANModule) -> None:
        # The clock of a resumed run continues from its last record.
        self._started = time.monotonic() - Run(trainer.default_root_dir).seconds(module.stage)
        self._since = (time.monotonic(), module.images_seen)

    def on_train_batch_end(self, trainer: pl.Trainer, module: GANModule, *args: Any) -> None:
        if module.iteration % self.every == 0:
            self.write(trainer, module)

    def on_train_end(self, trainer: pl.Trainer, module: GANModule) -> None:
        """Write the means of the last, incomplete window; its sums are kept for a run that is prolonged later."""
        if module.iteration % self.every:
            window = module.meters.state_dict()
            self.write(trainer, module)
            module.meters.load_state_dict(window, module.device)

    def write(self, trainer: pl.Trainer, module: GANModule) -> None:
        """Write the means over all processes; every process must call this, and rank 0 writes."""
        if module.divergence is not None and module.on_divergence == "stop":
            module.divergence.refuse()
        means = module.meters.pop()
        values = torch.tensor(list(means.values()), dtype=torch.float64, device=module.device)
        self.latest = dict(zip(means, average_scalars(values, trainer.world_size).tolist(), strict=True))
        if not trainer.is_global_zero:
            return
        now = time.monotonic()
        then, images = self._since
        speed = (module.images_seen - images) / max(now - then, 1e-9)
        self._since = (now, module.images_seen)
        record = {
            "stage": module.stage or ONLY_STAGE,
            "iteration": module.iteration,
            "images_seen": module.images_seen,
            "seconds": round(now - self._started, 3),
            "values": {**self.latest, "images_per_second": round(speed, 1)},
        }
        with Run(trainer.default_root_dir).metrics_file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")
        points = {**self.latest, f"{module.prefix}speed/images_per_second": speed}
        for name, optimizer in zip(module.players, trainer.optimizers, strict=True):
            points[f"{module.prefix}{name}/lr"] = optimizer.param_groups[0]["lr"]
        for logger in trainer.loggers:
            logger.log_metrics(points, step=module.iteration)
