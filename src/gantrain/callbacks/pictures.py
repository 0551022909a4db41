"""Pictures of callbacks: written to files of the run, and to every logger that takes pictures."""

from pathlib import Path

import torch
from PIL import Image
from pytorch_lightning.loggers import TensorBoardLogger

from gantrain.callbacks.trainer import Trainer
from gantrain.drawing.pictures import to_pil
from gantrain.files import replacing
from gantrain.models.base import GANModule
from gantrain.run.folder import frames


def drop_later(folder: Path, iteration: int) -> None:
    """Remove the pictures in `folder` of later iterations: a resumed run makes them again."""
    for picture in frames(folder):
        if int(picture.stem) > iteration:
            picture.unlink()


def write_png(picture: Image.Image, file: Path) -> None:
    """Write a picture as PNG, whole or not at all; its folder is made. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as temporary:
        picture.save(temporary, format="PNG")


def log_picture(trainer: Trainer, module: GANModule, tag: str, sheet: torch.Tensor) -> None:
    """A sheet (c, H, W) uint8 in every logger that takes pictures."""
    tag = f"{module.prefix}{tag}"
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.experiment.add_image(tag, sheet, module.iteration)
        elif hasattr(logger, "log_image"):  # W&B, MLflow
            logger.log_image(tag, [to_pil(sheet)], step=module.iteration)
