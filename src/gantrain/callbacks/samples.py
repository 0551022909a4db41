"""Pictures of the same latents as training goes on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from gantrain.callbacks.pictures import drop_later, log_picture, write_png
from gantrain.callbacks.trainer import Trainer
from gantrain.checks import check_whole
from gantrain.data import GANDataModule
from gantrain.drawing import video
from gantrain.drawing.pictures import animate, grid, open_png, save_gif, spread, to_pil
from gantrain.errors import one_line, tell
from gantrain.evaluation.nearest import nearest_sheet
from gantrain.files import replacing
from gantrain.models.base import GANModule
from gantrain.models.loop.eval_mode import undisturbed
from gantrain.rng import derive_seed
from gantrain.run.folder import NEAREST_FILE, REAL_FILE, TURNING_FILE, Run, frames

MOST = 100  # grids of the animation
TURNING = 4  # samples in it
COMPARED = 8  # samples beside their nearest training pictures
SECONDS, LARGEST = 6, 640  # of the film, and its longer side at most


class Samples(pl.Callback):
    """A grid of `count` fixed samples every `every` iterations, at the start and the end, as PNG and for TensorBoard.

    Drawing never changes training: its latents come from a generator of their own, and modes and global generators are
    restored. `samples/progress.gif` shows all grids one after the other once training ends, `turning.gif` the last
    samples from all sides where the data can be turned, and `real.png` real pictures. A finished run also has
    `progress.mp4`, if the extra `mp4` is installed, and where samples are made from noise `nearest.png`: the training
    pictures that are nearest to them.
    """

    def __init__(self, every: int = 500, count: int = 64):
        check_whole(1, every=every, count=count)
        self.every, self.count = every, count

    def on_train_start(self, trainer: Trainer, module: GANModule) -> None:
        if not trainer.is_global_zero:
            return
        drop_later(Run(trainer.default_root_dir).samples(module.stage), module.iteration)
        self._batch = {k: v.to(module.device) for k, v in trainer.datamodule.previews(self.count).items()}
        if module.iteration == 0:
            real = trainer.datamodule.overview(self._batch)
            write_png(to_pil(real), Run(trainer.default_root_dir).samples(module.stage) / REAL_FILE)
            log_picture(trainer, module, "samples/real", real)
            self.draw(trainer, module)

    def on_train_batch_end(self, trainer: Trainer, module: GANModule, *args: Any) -> None:
        if module.iteration % self.every == 0 and trainer.is_global_zero:
            self.draw(trainer, module)

    def on_train_end(self, trainer: Trainer, module: GANModule) -> None:
        if not trainer.is_global_zero:
            return
        if module.iteration % self.every:
            self.draw(trainer, module)
        folder = Run(trainer.default_root_dir).samples(module.stage)
        animate(frames(folder), folder / "progress.gif", MOST)
        if module.iteration >= module.length:  # what is stopped should end soon
            film(frames(folder), folder / "progress.mp4")
            if "sample" in module.verbs and trainer.datamodule.formats == ("png",):
                compare(self.preview(module)[:COMPARED], trainer.datamodule, folder / NEAREST_FILE)
        if trainer.datamodule.turning is not None:
            views = trainer.datamodule.turning(self.preview(module)[:TURNING])
            with replacing(folder / TURNING_FILE) as temporary:
                save_gif([to_pil(grid(view)) for view in views], temporary, milliseconds=4000 // len(views))

    def preview(self, module: GANModule) -> torch.Tensor:
        """The fixed samples as they are now."""
        generator = torch.Generator().manual_seed(derive_seed(module.seed, "preview"))
        with undisturbed(module, module.device):
            return module.preview(self._batch, generator)

    def draw(self, trainer: Trainer, module: GANModule) -> None:
        sheet = trainer.datamodule.sheet(self.preview(module), self._batch, module.preview_columns)
        file = Run(trainer.default_root_dir).samples(module.stage) / f"{module.iteration:08d}.png"
        write_png(to_pil(sheet), file)
        log_picture(trainer, module, "samples", sheet)


def film(files: Sequence[Path], out: Path) -> None:
    """The grids as an MP4, where the extra for it is installed; what keeps it from being written is said."""
    if not video.installed() or len(files) < 2:
        return
    shown = []
    for file in spread(files, MOST):
        with open_png(file) as picture:
            picture.thumbnail((LARGEST, LARGEST))
            shown.append(picture.copy())
    try:
        video.save_mp4(shown, out, len(shown) / SECONDS)
    except (OSError, RuntimeError, ValueError) as error:
        tell(f"no {out} ({one_line(error)[:200]})")


def compare(samples: torch.Tensor, data: GANDataModule, file: Path) -> None:
    write_png(nearest_sheet(samples, data), file)
