"""Pictures of the same latents as training goes on."""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger

from gantrain.checks import check_whole
from gantrain.drawing.pictures import animate, grid, save_gif, to_pil
from gantrain.files import replacing
from gantrain.models.base import GANModule
from gantrain.models.loop.eval_mode import undisturbed
from gantrain.rng import derive_seed
from gantrain.run.folder import TURNING_FILE, Run, frames

MOST = 100  # grids of the animation
TURNING = 4  # samples in it


class Samples(pl.Callback):
    """A grid of `count` fixed samples every `every` iterations, at the start and the end, as PNG and for TensorBoard.

    Latents come from a generator of its own; modes and global generators are put back: looking never changes training.
    `samples/progress.gif` shows the grids in a row once training ends, and `samples/turning.gif` the last samples from
    all around where the data can be turned. TensorBoard shows real pictures beside them.
    """

    def __init__(self, every: int = 500, count: int = 64):
        check_whole(1, every=every, count=count)
        self.every, self.count = every, count

    def on_train_start(self, trainer: pl.Trainer, module: GANModule) -> None:
        if not trainer.is_global_zero:
            return
        for picture in frames(Run(trainer.default_root_dir).samples(module.stage)):
            if int(picture.stem) > module.iteration:  # a resumed run makes it anew
                picture.unlink()
        self._batch = {k: v.to(module.device) for k, v in trainer.datamodule.previews(self.count).items()}
        if module.iteration == 0:
            show(trainer, module, "samples/real", trainer.datamodule.overview(self._batch))
            self.draw(trainer, module)

    def on_train_batch_end(self, trainer: pl.Trainer, module: GANModule, *args: Any) -> None:
        if module.iteration % self.every == 0 and trainer.is_global_zero:
            self.draw(trainer, module)

    def on_train_end(self, trainer: pl.Trainer, module: GANModule) -> None:
        if not trainer.is_global_zero:
            return
        if module.iteration % self.every:
            self.draw(trainer, module)
        folder = Run(trainer.default_root_dir).samples(module.stage)
        animate(frames(folder), folder / "progress.gif", MOST)
        if trainer.datamodule.turning is not None:
            views = trainer.datamodule.turning(self.preview(module)[:TURNING])
            with replacing(folder / TURNING_FILE) as temporary:
                save_gif([to_pil(grid(view)) for view in views], temporary, milliseconds=4000 // len(views))

    def preview(self, module: GANModule) -> torch.Tensor:
        """The fixed samples as they are now."""
        generator = torch.Generator().manual_seed(derive_seed(module.seed, "preview"))
        with undisturbed(module, module.device):
            return module.preview(self._batch, generator)

    def draw(self, trainer: pl.Trainer, module: GANModule) -> None:
        sheet = trainer.datamodule.sheet(self.preview(module), self._batch, module.preview_columns)
        file = Run(trainer.default_root_dir).samples(module.stage) / f"{module.iteration:08d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            to_pil(sheet).save(temporary, format="PNG")
        show(trainer, module, "samples", sheet)


def show(trainer: pl.Trainer, module: GANModule, tag: str, sheet: torch.Tensor) -> None:
    """A sheet of pictures in every logger that takes pictures."""
    tag = f"{module.prefix}{tag}"
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.experiment.add_image(tag, sheet, module.iteration)
        elif hasattr(logger, "log_image"):  # W&B, MLflow
            logger.log_image(tag, [to_pil(sheet)], step=module.iteration)
