import numpy as np
import pytest
from idx import make_mnist
from pictures_on_disk import make_pictures, write_picture

from gantrain.data.folder import ImageFolder
from gantrain.data.images import IdxImages
from gantrain.data.module import GANDataModule
from gantrain.data.synthetic import Synthetic
from gantrain.errors import UserError
from gantrain.inference.users_pictures import pictures_in, read_photo


def data(dataset, size=8, channels=1):
    return GANDataModule(dataset, size, channels, batch_size=1, range=(0, 1))


def test_files_of_pictures_whatever_the_run_was_trained_on(tmp_path):
    make_pictures(tmp_path / "0", 2, size=(12, 6))
    make_pictures(tmp_path / "1", 3)
    for dataset in (ImageFolder(), IdxImages(), Synthetic()):
        found = pictures_in(tmp_path, data(dataset))
        assert found.labels.tolist() == [0, 0, 1, 1, 1]
        real = found.take(np.arange(5))["real"]
        assert real.shape == (5, 1, 8, 8)
        assert 0 <= real.min() < real.max() <= 1


def test_without_such_files_what_the_run_reads(tmp_path):
    make_mnist(tmp_path, 12)
    assert len(pictures_in(tmp_path, data(IdxImages(), 28))) == 12
    for dataset in (ImageFolder(), Synthetic()):
        with pytest.raises(UserError, match=r"FOLDER: .* no png"):
            pictures_in(tmp_path, data(dataset))
    with pytest.raises(UserError, match=r"FOLDER: .* is not there"):
        pictures_in(tmp_path / "none", data(IdxImages()))


def test_a_photo_is_what_training_would_see(tmp_path):
    photo = write_picture(tmp_path / "a.png", 1, (30, 20))
    run = data(ImageFolder())
    seen = pictures_in(tmp_path, run)
    assert np.array_equal(read_photo(photo, run).numpy(), seen.cached.images[0])
    (tmp_path / "b.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"b\.png: cannot be used as a photo"):
        read_photo(tmp_path / "b.png", run)
