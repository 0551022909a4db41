"""Counting modes: known generators, the floor, what is refused."""

import math

import numpy as np
import pytest
import torch
from idx import write_idx

from gantrain.data.images import IdxImages
from gantrain.data.module import GANDataModule
from gantrain.data.stacked import StackedDigits
from gantrain.data.synthetic import Synthetic
from gantrain.errors import UserError
from gantrain.evaluation import classifier
from gantrain.evaluation.stacked import StackedModes, counted, kl_to_uniform, modes, well_seen


def bars(count):
    """Digits that anything can read: a bright bar whose place is the class."""
    labels = np.arange(count) % 10
    pictures = np.zeros((count, 28, 28), np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        picture[:, 2 * label + 4 : 2 * label + 6] = 255
    return pictures, labels


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stacked")
    for prefix, count in (("train", 200), ("t10k", 300)):
        pictures, labels = bars(count)
        write_idx(folder / f"MNIST/raw/{prefix}-images-idx3-ubyte", pictures)
        write_idx(folder / f"MNIST/raw/{prefix}-labels-idx1-ubyte", labels)
    options = {"size": 14, "channels": 3, "batch_size": 4, "root": str(folder), "cache_dir": str(folder)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "STEPS", 100)
        yield StackedDigits(dataset=IdxImages(), count=6000, **options).open()


class Made:
    """A generator that gives the data's own pictures, or always the first of them."""

    classes, device, networks = None, torch.device("cpu"), {"generator": "the only"}

    def __init__(self, data, same):
        self.data, self.same, self.given = data, same, 0

    def averaged(self, name, raw):
        return self.networks[name]

    def latents(self, n, generator, truncation):
        return torch.zeros(n, 1)

    def generate(self, z, raw):
        numbers = np.arange(self.given, self.given + len(z))
        self.given += len(z)
        return self.data.take(0 * numbers if self.same else numbers)["real"]


def test_numbers_by_hand():
    counts = counted(torch.tensor([[0, 0, 1], [0, 0, 1], [1, 1, 1], [0, 1, 0]]), kinds=2)
    assert counts.tolist() == [0, 2, 1, 0, 0, 0, 0, 1]
    assert modes(counts) == 3
    assert kl_to_uniform(counts) == pytest.approx(0.5 * math.log(0.5) + 2 * 0.25 * math.log(0.25) + math.log(8))
    assert well_seen(torch.tensor([96, 1, 3, 0])) == 2  # a tenth of a quarter of 100 is 2.5


def test_real_triples_reach_the_floor_and_one_triple_is_one_mode(data):
    evaluation = StackedModes(samples=2000)
    evaluation.check(Made(data, False), data)
    real = evaluation.measure(Made(data, False), data)
    one = StackedModes(samples=300).measure(Made(data, True), data)
    assert list(real.scores) == evaluation.names(None, data) == ["modes2k_dataset", "kl2k_dataset", "tenth2k_dataset"]
    ((title, (floor,)),) = real.tables.items()
    assert title == "the floor: 2,000 real pictures in the place of samples"
    assert floor["modes"] > 830  # 1,000 times 1 - exp(-2) are expected
    assert real.scores["modes2k_dataset"].value == pytest.approx(floor["modes"], abs=40)
    assert real.scores["kl2k_dataset"].value == pytest.approx(float(floor["kl"]), abs=0.05)
    assert real.scores["tenth2k_dataset"].value == real.scores["modes2k_dataset"].value  # one of 2 is a half
    assert one.scores["modes300_dataset"].value == 1
    assert one.scores["kl300_dataset"].value == pytest.approx(math.log(1000))


def test_other_data_are_refused(data):
    plain = GANDataModule(Synthetic(), 28, 3, 4)
    with pytest.raises(UserError, match="these scores are of data=stacked_mnist"):
        StackedModes().check(Made(data, True), plain)
