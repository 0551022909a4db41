"""Stacked digits: drawn by number, colours that are independent, classes of each colour."""

import numpy as np
import pytest
import torch
from idx import make_mnist

from gantrain.data.images import IdxImages
from gantrain.data.stacked import StackedDigits, colours
from gantrain.data.stream import Batches


@pytest.fixture
def data(tmp_path):
    options = {
        "size": 28,
        "channels": 3,
        "batch_size": 4,
        "root": str(make_mnist(tmp_path)),
        "cache_dir": str(tmp_path),
    }
    return StackedDigits(dataset=IdxImages(), count=3000, **options).open()


def test_a_picture_is_three_grey_ones(data):
    grey, indices = data.grey(), np.array([5, 0, 2999])
    stacked = data.stored(indices, indices)["real"]
    assert stacked.shape == (3, 3, 28, 28)
    expected = grey.cached.take(data.parts(indices)[2])
    assert torch.equal(stacked[2][:, None], torch.as_tensor(expected))
    assert torch.equal(colours(stacked)[6:9], stacked[2][:, None])
    assert (grey.shape, data.shape) == ((1, 28, 28), (3, 28, 28))


def test_which_three_is_a_function_of_the_number_alone(data):
    some = np.arange(50)
    data.seed = 7
    assert (data.parts(some)[3] == data.parts(np.array([3]))[0]).all()
    assert len(np.unique(data.parts(np.arange(3000)))) == 64  # all digits are used
    batch = next(data.loader(Batches(4, 0)))
    assert set(batch) == {"real"}


def test_colours_are_independent(data):
    labels = data.labels
    assert labels.shape == (3000, 3)
    assert np.abs(np.corrcoef(labels.T) - np.eye(3)).max() < 0.06  # three standard errors
    triples = np.unique(labels @ [100, 10, 1])
    assert 920 < len(triples) < 975  # of 1,000 equally likely ones 950 +- 7


def test_the_classes_are_the_colours_own(data):
    row = data.parts(np.array([17]))[0]
    assert data.labels[17].tolist() == data.grey().cached.labels[row].tolist()
    assert data.cached.labels is None


def test_held_out_ones_are_of_other_digits(data):
    unseen = data.held_out()
    assert len(unseen) == 3000
    assert unseen.content != data.content
    assert unseen.grey().cached.labels is not None


def test_what_makes_no_sense_is_refused():
    options = {"dataset": IdxImages(), "size": 28, "batch_size": 4}
    with pytest.raises(ValueError, match="channels is 1, it must be 3"):
        StackedDigits(channels=1, **options)
    with pytest.raises(ValueError, match="count is 0"):
        StackedDigits(channels=3, count=0, **options)
    with pytest.raises(ValueError, match="balance is 1"):
        StackedDigits(channels=3, balance=1, **options)
