"""Games and data as Lightning's trainer takes them.

Importing Lightning takes two seconds and 270 MB, which no use of a trained run needs: so `GANModule` and
`GANDataModule` have the hooks that Lightning calls, and are its classes only where they are to be trained.
"""

import functools

import pytorch_lightning as pl


@functools.cache
def fitted(family: type) -> type:
    """A family of `GANModule` that is a LightningModule as well."""
    return type(family.__name__, (family, pl.LightningModule), {"__module__": family.__module__})


@functools.cache
def fitted_data(kind: type) -> type:
    """A kind of `GANDataModule` that is a LightningDataModule as well."""
    return type(kind.__name__, (kind, pl.LightningDataModule), {"__module__": kind.__module__})
