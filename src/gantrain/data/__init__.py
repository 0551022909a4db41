"""Data: one DataModule, sources of pictures, the cache between them."""

from gantrain.data.module import GANDataModule

__all__ = ["GANDataModule"]
