"""Lightning's trainer as callbacks know it."""

import pytorch_lightning as pl

from gantrain.data import GANDataModule


class Trainer(pl.Trainer):
    """For annotations alone: what Lightning's trainer has and does not declare."""

    callbacks: list[pl.Callback]
    datamodule: GANDataModule
