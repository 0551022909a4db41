"""A user's pictures as a run's networks see its own: a photo, or all in a folder."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gantrain.data.folder import ImageFolder, list_pictures
from gantrain.data.formats.decode import Unreadable, guarded, open_picture, to_array
from gantrain.data.module import GANDataModule
from gantrain.data.synthetic import Synthetic
from gantrain.errors import UserError


def pictures_in(folder: Path, data: Any) -> GANDataModule:
    """The pictures under `folder` at the size, in the colours and range of a run's `data`, opened; smaller ones are
    enlarged, unreadable ones left out.

    Where there are no files of pictures, it is read as the run reads its own data, such as MNIST's. Raises UserError.
    """
    framing, dataset = data.framing, data.dataset
    try:
        list_pictures(folder, "FOLDER")
        dataset = ImageFolder(framing.crop, framing.background, framing.levels)
    except UserError:
        own = data.reads_root and not isinstance(dataset, (Synthetic, ImageFolder))
        if not own or not folder.is_dir():
            raise
    options = {"range": data.range, "upsize": True, "on_error": "skip", "cache_dir": data.cache_dir}
    return GANDataModule(dataset, data.size, data.channels, batch_size=1, root=str(folder), **options).open()


def as_trained(file: Path, data: Any) -> Tensor:
    """A picture as training on `data` would show it, uint8 (channels, size, size). Raises Unreadable."""
    with guarded(), open_picture(file) as picture:
        return torch.from_numpy(to_array(picture, data.size, data.channels, data.framing).copy())


def read_photo(photo: Path, data: Any) -> Tensor:
    """A photo as training would see it, uint8 (channels, size, size). Raises UserError."""
    try:
        return as_trained(photo, data)
    except Unreadable as error:
        raise UserError(f"{photo}: cannot be used as a photo ({error}); name a png, jpg, webp, bmp or gif") from error
