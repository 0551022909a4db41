"""Complete checkpoints on time, at the end and on a signal, from which a run continues bit for bit."""

import contextlib
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytorch_lightning as pl
import torch

from gantrain import rng
from gantrain.errors import Diverged
from gantrain.models.base import GANModule
from gantrain.parallel import gather, largest
from gantrain.runs import Run
from gantrain.stop import StopSignals


class Checkpoints(pl.Callback):
    """A checkpoint every `every_seconds`, at the end and when `stop` has received a signal; the newest `keep` stay."""

    def __init__(self, every_seconds: float = 60, keep: int = 2):
        if keep < 1:
            raise ValueError(f"keep is {keep}, it must be 1 or more")
        self.every_seconds, self.keep = every_seconds, keep
        self.stop = StopSignals()
        self._saved_at = 0.0
        self._saved_iteration = -1

    def on_train_start(self, trainer: pl.Trainer, module: GANModule) -> None:
        self._saved_at, self._saved_iteration = time.monotonic(), module.iteration
        self.stop.listen()

    def on_train_batch_end(self, trainer: pl.Trainer, module: GANModule, *args: Any) -> None:
        late = trainer.is_global_zero and time.monotonic() - self._saved_at >= self.every_seconds
        signum, save = largest([self.stop.received, int(late)], module.device, trainer.world_size)
        if signum:
            self.stop.received = signum
            trainer.should_stop = True
        elif save:
            self.save(trainer, module)

    def on_train_end(self, trainer: pl.Trainer, module: GANModule) -> None:
        if module.iteration != self._saved_iteration:
            self.save(trainer, module)

    def save_best(self, trainer: pl.Trainer, module: GANModule) -> None:
        """Keep this iteration's checkpoint as `best.ckpt` too; every process takes part."""
        if module.iteration != self._saved_iteration:
            self.save(trainer, module)
        if trainer.is_global_zero:
            Run(trainer.default_root_dir).mark_best(module.stage, module.iteration)

    def save(self, trainer: pl.Trainer, module: GANModule) -> None:
        """Write a checkpoint; every process takes part, rank 0 writes."""
        generators = gather(rng.get_state(module.device), trainer.world_size)
        if trainer.is_global_zero:
            state = {**module.state(), "rng": generators, "data": trainer.datamodule.source.fingerprint}
            _refuse_if_not_finite(state["networks"], module.iteration)
            with _held(signal.SIGINT), _held(signal.SIGTERM):
                Run(trainer.default_root_dir).save_checkpoint(module.stage, state, self.keep)
        self._saved_at, self._saved_iteration = time.monotonic(), module.iteration


def _refuse_if_not_finite(networks: dict[str, dict[str, torch.Tensor]], iteration: int) -> None:
    for name, weights in networks.items():
        for key, weight in weights.items():
            if weight.is_floating_point() and not torch.isfinite(weight).all():
                raise Diverged(f"the weight {key} of network '{name}' is not finite after iteration {iteration}")


@contextlib.contextmanager
def _held(number: int) -> Iterator[None]:
    """Keep a signal waiting: a second Ctrl-C must not cut a checkpoint short."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
