"""IDX files, sound and damaged, and scikit-learn's digits."""

import gzip
import tracemalloc

import numpy as np
import pytest
from idx import make_mnist, write_idx

from gantrain.data.images import Digits, IdxImages
from gantrain.errors import UserError


def test_idx_files_are_read_as_torchvision_lays_them_out(tmp_path):
    source = IdxImages("FashionMNIST").open(make_mnist(tmp_path, name="FashionMNIST"))
    assert len(source) == 64
    assert source.read(0).size == (28, 28)
    assert source.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


def test_they_agree_with_torchvision(tmp_path):
    from torchvision.datasets import MNIST

    theirs = MNIST(str(make_mnist(tmp_path)), train=False)
    ours = IdxImages("MNIST", split="test").open(tmp_path)
    assert (np.stack([np.asarray(ours.read(i)) for i in range(64)]) == theirs.data.numpy()).all()
    assert ours.labels.tolist() == theirs.targets.tolist()


def test_packed_files_do_as_well(tmp_path):
    make_mnist(tmp_path)
    for file in (tmp_path / "MNIST/raw").iterdir():
        file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    assert len(IdxImages("MNIST").open(tmp_path)) == 64


def test_no_more_is_unpacked_than_the_header_promises(tmp_path):
    make_mnist(tmp_path)
    file = tmp_path / "MNIST/raw/train-images-idx3-ubyte"
    bomb = gzip.compress(file.read_bytes() + bytes(50_000_000))
    file.unlink()
    file.with_name(file.name + ".gz").write_bytes(bomb)
    tracemalloc.start()
    with pytest.raises(UserError, match="it holds more than"):
        IdxImages("MNIST").open(tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_other_pixels_other_fingerprint(tmp_path):
    before = IdxImages("MNIST").open(make_mnist(tmp_path)).fingerprint
    write_idx(tmp_path / "MNIST/raw/train-images-idx3-ubyte", np.zeros((64, 28, 28)))
    assert IdxImages("MNIST").open(tmp_path).fingerprint != before


def damage(tmp_path, name, change):
    make_mnist(tmp_path)
    file = tmp_path / "MNIST/raw" / name
    file.write_bytes(change(file.read_bytes()))
    return file


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data[:-1], "damaged"),
        (lambda data: data + b"x", "damaged"),
        (lambda data: b"", "no IDX file"),
        (lambda data: b"<html>" + data, "no IDX file"),
        (lambda data: data[:4] + b"\xff" * 12 + data[16:], "damaged"),
        (lambda data: data[:4] + b"\0" * 12, "damaged"),
    ],
)
def test_damaged_files_are_named(tmp_path, change, says):
    file = damage(tmp_path, "train-images-idx3-ubyte", change)
    with pytest.raises(UserError, match=says) as raised:
        IdxImages("MNIST").open(tmp_path)
    assert str(file) in str(raised.value)


def test_a_damaged_archive_is_named(tmp_path):
    file = damage(tmp_path, "train-labels-idx1-ubyte", gzip.compress)
    packed = file.rename(file.with_name(file.name + ".gz"))
    packed.write_bytes(packed.read_bytes()[:-9])
    with pytest.raises(UserError, match="cannot read"):
        IdxImages("MNIST").open(tmp_path)


def test_as_many_labels_as_images(tmp_path):
    make_mnist(tmp_path)
    write_idx(tmp_path / "MNIST/raw/train-labels-idx1-ubyte", np.zeros(63))
    with pytest.raises(UserError, match="64 images but 63 labels"):
        IdxImages("MNIST").open(tmp_path)


def test_missing_files_tell_the_way_out(tmp_path):
    with pytest.raises(UserError, match=r"data\.root.*download=true"):
        IdxImages("MNIST").open(tmp_path)


def test_digits_are_those_of_scikit_learn_in_8_bits():
    source = Digits().open(None)
    assert len(source) == 1797
    first = np.asarray(source.read(0))
    assert first.shape == (8, 8)
    assert first.max() == round(15 * 255 / 16)
    assert source.labels[0] == 0
