"""How far training is: a bar on a terminal, a plain line every few seconds in a log."""

import sys
import time
from typing import Any

import pytorch_lightning as pl
from tqdm import tqdm

from gantrain.callbacks.metrics import Metrics
from gantrain.callbacks.trainer import Trainer
from gantrain.drawing.text import clock, pace, place
from gantrain.models.base import GANModule

BAR = "{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{remaining} left{postfix}]"


class Progress(pl.Callback):
    """Iterations, images/s, the latest losses and the time left; in a log a line every `seconds`."""

    every = None  # it follows the clock

    def __init__(self, seconds: float = 10.0):
        self.seconds = seconds
        self._bar: tqdm | None = None

    def on_train_start(self, trainer: Trainer, module: GANModule) -> None:
        if not trainer.is_global_zero:
            return
        self._start = (time.monotonic(), module.iteration)
        self._last = (time.monotonic(), module.images_seen, module.iteration)
        if sys.stderr.isatty():
            bounds = {"desc": module.stage or None, "total": module.length, "initial": module.iteration}
            self._bar = tqdm(**bounds, dynamic_ncols=True, mininterval=0.5, bar_format=BAR)

    def on_train_batch_end(self, trainer: Trainer, module: GANModule, *args: Any) -> None:
        if not trainer.is_global_zero:
            return
        if self._bar is not None:
            self._bar.update(module.iteration - self._bar.n)
        now, (then, images, before) = time.monotonic(), self._last
        if now - then < (self.seconds if self._bar is None else 1.0):
            return
        speed = pace(module.images_seen - images, now - then, module.iteration - before)
        self._last = (now, module.images_seen, module.iteration)
        facts = f"{speed}{self._losses(trainer)}"
        if self._bar is not None:
            self._bar.set_postfix_str(facts, refresh=False)
            return
        began, first = self._start
        left = (now - began) / (module.iteration - first) * (module.length - module.iteration)
        print(f"{place(module.stage, module.iteration, module.length)}  {facts}  {clock(left)} left", flush=True)

    @staticmethod
    def _losses(trainer: Trainer) -> str:
        latest = next((c.latest for c in trainer.callbacks if isinstance(c, Metrics)), {})
        adversarial = {tag.removesuffix("/adv"): value for tag, value in latest.items() if tag.endswith("/adv")}
        return "".join(f"  {player} {value:.3f}" for player, value in adversarial.items())

    def on_train_end(self, *args: Any) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def on_exception(self, *args: Any) -> None:
        self.on_train_end()
