"""How healthy a game is, in words, every few iterations."""

import json
import time
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger

from gantrain.callbacks.pictures import drop_later, log_picture, write_png
from gantrain.callbacks.trainer import Trainer
from gantrain.checks import check_whole
from gantrain.config.stages import ONLY_STAGE
from gantrain.data.batch import Batch
from gantrain.drawing.pictures import to_pil
from gantrain.drawing.text import place
from gantrain.errors import Diverged, one_line
from gantrain.evaluation.checkup import Checkup, steps_of
from gantrain.evaluation.diagnosis import diverged, judge
from gantrain.models.base import GANModule
from gantrain.models.loop.eval_mode import undisturbed
from gantrain.parallel import largest
from gantrain.rng import derive_seed
from gantrain.run.folder import Run
from gantrain.run.health import YOUNG, Finding, Look, read_looks
from gantrain.run.metrics import is_number

PICTURES = 32  # of the grid at a change
MEMORY = 100  # looks that a verdict may rest on
FINE = ("healthy", YOUNG)
USUAL = {"cpu": 100, "cuda": 1000}  # iterations between looks: a GPU makes ten and more while a CPU makes one


class Health(pl.Callback):
    """Every `every` iterations (by default 100, on a GPU 1,000) writes how healthy the game is, in numbers and as a
    verdict, into metrics.jsonl and the loggers.

    When the verdict changes, the console says so, and `health/` keeps the samples of that moment. With `on: stop` a
    verdict other than healthy ends training with a checkpoint; the program then exits with 3. Earlier verdicts are read
    from metrics.jsonl, so a resumed run judges as if it had never stopped.

    Measuring never changes training: latents come from a generator of its own, modes and buffers are restored.
    """

    def __init__(self, every: int | None = None, on: Literal["warn", "stop"] = "warn"):
        check_whole(1, every=every)
        self.every, self.on = every, on
        self.looks: list[Look] = []
        self.stopped: Finding | None = None  # why it has ended training
        self.blind = False  # whether the game cannot be looked at
        self._checkup: Checkup | None = None  # of what does not change, measured once there is something to judge
        self._before: dict[str, tuple[int, list[torch.Tensor]]] = {}
        self._started = 0.0

    def settle(self, device: str) -> int:
        """How often it looks on a kind of device."""
        self.every = self.every or USUAL[device]
        return self.every

    def on_train_start(self, trainer: Trainer, module: GANModule) -> None:
        run = Run(trainer.default_root_dir)
        self._started = time.monotonic() - run.seconds(module.stage)
        if not trainer.is_global_zero:
            return
        said = read_looks(run.metrics_file, module.stage or ONLY_STAGE)
        self.looks = [look for look in said if look.values][-MEMORY:]  # the last record of a diverged run has no values
        drop_later(run.health(module.stage), module.iteration)

    def on_train_batch_start(self, trainer: Trainer, module: GANModule, *args: Any) -> None:
        """Keep the weights of the iteration that is looked at, to see its steps."""
        if (module.iteration + 1) % self.every == 0 and trainer.is_global_zero:
            self._before = {n: (module.turns[n], steps_of(module.weights_of(n))) for n in module.players}

    def on_train_batch_end(self, trainer: Trainer, module: GANModule, outputs: Any, batch: Batch, *_: Any) -> None:
        if module.iteration % self.every:
            return
        if module.divergence is not None and module.on_divergence == "stop":
            module.divergence.refuse()  # the weights after a skipped step say nothing
        ill = trainer.is_global_zero and not self.blind and self.look(trainer, module, batch).verdict not in FINE
        if self.on == "stop":
            (stop,) = largest([int(ill)], module.device, trainer.world_size)
            if stop:
                self.stopped = self.looks[-1].finding if self.looks else Finding("")
                trainer.should_stop = True

    def on_exception(self, trainer: Trainer, module: GANModule, exception: BaseException) -> None:
        if isinstance(exception, Diverged) and trainer.is_global_zero:
            self.tell(trainer, module, {}, diverged(str(exception)))

    def look(self, trainer: Trainer, module: GANModule, batch: Batch) -> Finding:
        """Measure and judge on rank 0, whose networks are those of all."""
        before = {name: w for name, (turns, w) in self._before.items() if module.turns[name] > turns}
        self._before = {}
        try:
            if self._checkup is None:
                self._checkup = Checkup(module, trainer.datamodule)
            values = self._checkup.look(batch, before)
        except Exception as error:  # a user's own network may raise anything; training matters more than this look
            print(f"health: this game cannot be looked at, and is trained without: {one_line(error)[:200]}", flush=True)
            self.blind = True
            return Finding(YOUNG)
        finding = judge([*(look.values for look in self.looks), values][-MEMORY:])
        self.tell(trainer, module, values, finding)
        return finding

    def tell(self, trainer: Trainer, module: GANModule, values: dict[str, Any], finding: Finding) -> None:
        run, seconds = Run(trainer.default_root_dir), round(time.monotonic() - self._started, 3)
        unmeasured = self._checkup.missing() if self._checkup is not None and not self.looks else ()
        when = (module.stage or ONLY_STAGE, module.iteration, module.images_seen, seconds)
        look = Look(*when, values, finding, unmeasured)
        before = self.looks[-1].finding if self.looks else Finding(YOUNG)
        self.looks = [*self.looks, look][-MEMORY:]
        with run.metrics_file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(look.plain()) + "\n")
        points = {f"{module.prefix}health/{name}": value for name, value in values.items() if is_number(value)}
        for logger in trainer.loggers:
            logger.log_metrics(points, step=module.iteration)
        if finding.verdict == before.verdict:
            return
        text = f"{finding}" + (f"; first remedy: {finding.remedy}" if finding.remedy else "")
        print(f"{place(module.stage, module.iteration, module.length)}  health: {text}", flush=True)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_text(f"{module.prefix}health", text, module.iteration)
        if values:
            self.draw(trainer, module)

    def draw(self, trainer: Trainer, module: GANModule) -> None:
        """The samples of this moment."""
        batch = {key: value[:PICTURES] for key, value in self._checkup.fixed.items()}
        generator = torch.Generator().manual_seed(derive_seed(module.seed, "health"))
        with undisturbed(module, module.device):
            made = module.preview(batch, generator)
        sheet = trainer.datamodule.sheet(made, batch, module.preview_columns)
        file = Run(trainer.default_root_dir).health(module.stage) / f"{module.iteration:08d}.png"
        write_png(to_pil(sheet), file)
        log_picture(trainer, module, "health/samples", sheet)
