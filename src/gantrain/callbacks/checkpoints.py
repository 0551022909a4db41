"""Complete checkpoints on time, at the end and on a signal, from which a run continues bit for bit."""

import time
from typing import Any

import pytorch_lightning as pl
import torch
from torch.nn.modules.batchnorm import _NormBase

from gantrain.callbacks.trainer import Trainer
from gantrain.checks import check_whole
from gantrain.errors import Diverged
from gantrain.models.base import GANModule
from gantrain.parallel import largest
from gantrain.run.checkpoint import checkpoint_of
from gantrain.run.folder import Run
from gantrain.signals import StopSignals


class Checkpoints(pl.Callback):
    """Writes a checkpoint every `every_seconds`, at the end, and when `stop` has a signal; keeps the newest `keep`.

    It is the last callback of an iteration: everything else that is due is done before the file exists. So a run that
    is killed in between does it again from the checkpoint before.
    """

    every = None  # it follows the clock

    def __init__(self, every_seconds: float = 60, keep: int = 2):
        check_whole(1, keep=keep)
        self.every_seconds, self.keep = every_seconds, keep
        self.stop = StopSignals()
        self._saved_at = 0.0
        self._saved_iteration = -1
        self.best = False  # whether the next checkpoint is also kept as best.ckpt

    def on_train_start(self, trainer: Trainer, module: GANModule) -> None:
        self._saved_at, self._saved_iteration = time.monotonic(), module.iteration
        self.stop.listen()

    def on_train_batch_end(self, trainer: Trainer, module: GANModule, *args: Any) -> None:
        late = trainer.is_global_zero and time.monotonic() - self._saved_at >= self.every_seconds
        signum, save = largest([self.stop.received, int(late)], module.device, trainer.world_size)
        if signum:
            self.stop.received = signum
            trainer.should_stop = True
        at_end = module.iteration >= module.length  # then `on_train_end` saves, after the other callbacks
        if not at_end and (signum or save or self.best):
            self.save(trainer, module)

    def on_train_end(self, trainer: Trainer, module: GANModule) -> None:
        if module.iteration != self._saved_iteration:
            self.save(trainer, module)

    def save(self, trainer: Trainer, module: GANModule) -> None:
        """Write a checkpoint; every process takes part, rank 0 writes."""
        if module.divergence is not None and module.on_divergence == "stop":
            module.divergence.refuse()
        state = checkpoint_of(module, trainer.datamodule.source.fingerprint)
        if trainer.is_global_zero:
            refuse_if_not_finite(module)
            with self.stop.held():
                Run(trainer.default_root_dir).save_checkpoint(module.stage, state, self.keep, self.best)
        self.best = False
        self._saved_at, self._saved_iteration = time.monotonic(), module.iteration


def refuse_if_not_finite(module: GANModule) -> None:
    """Raise Diverged if a weight or a norm's statistic of a trained network is not finite; other buffers may be."""
    for name in sorted(module.trained_networks()):
        for prefix, part in module.networks[name].named_modules():
            statistics = part.named_buffers(recurse=False) if isinstance(part, _NormBase) else ()
            for key, value in (*part.named_parameters(recurse=False), *statistics):
                if value.is_floating_point() and not torch.isfinite(value).all():
                    weight = f"{prefix}.{key}".lstrip(".")
                    raise Diverged(
                        f"the weight {weight} of network '{name}' is not finite after iteration {module.iteration}"
                    )
