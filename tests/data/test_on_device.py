"""Samples on a device are the cache's own, and batches fetched ahead are the same in the same order."""

import threading
import time

import numpy as np
import pytest
import torch

from gantrain.data import GANDataModule, module
from gantrain.data.on_device import OnDevice, ahead, fits
from gantrain.data.pairs import Pairs
from gantrain.data.photos import PhotoCrops
from gantrain.data.stream import Batches
from gantrain.data.synthetic import Synthetic
from gantrain.data.unpaired import Unpaired

CPU = torch.device("cpu")


class Cached:
    images = np.arange(5 * 3, dtype=np.uint8).reshape(5, 3)
    labels = np.arange(5)

    def take(self, indices):
        return self.images[indices]


def test_the_same_samples_by_the_same_numbers():
    there = OnDevice(Cached(), CPU)
    assert torch.equal(there.take(np.array([4, 0, 4])), torch.from_numpy(Cached.images[[4, 0, 4]]))
    assert there.labels is Cached.labels
    assert not fits([Cached()], CPU)  # it is no GPU


@pytest.fixture
def _no_gpu(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self)


@pytest.mark.usefixtures("_no_gpu")
def test_a_gpu_gets_whole_samples_from_its_memory_and_others_ahead(monkeypatch):
    """`meta` stands for a GPU: its tensors have a place and a shape."""
    monkeypatch.setattr(module, "fits", lambda caches, device: True)
    data = GANDataModule(Synthetic(count=8), 16, 1, 4, augment={"flip": True}).open()
    first = next(module.for_device(data, Batches(4, 0), torch.device("meta")))
    assert (first["real"].device.type, first["real"].shape) == ("meta", (4, 1, 16, 16))
    assert first["flip"].device.type == "cpu"  # Lightning moves it
    data.on_device = "none"
    photos = PhotoCrops(dataset=Synthetic(count=8), size=16, scale=2, channels=1, batch_size=4).open()

    class Noisy(Pairs):
        """It cuts, and does not say that it can do so on a device."""

        def stored(self, indices, positions):
            return {"real": torch.from_numpy(self.cached.take(indices) + 1)}

    monkeypatch.setattr(module, "fits", lambda caches, device: all(hasattr(cached, "images") for cached in caches))
    for some in (data, photos, pairs(kind=Noisy)):
        ahead_of_time = next(module.for_device(some, Batches(4, 0), torch.device("meta")))
        plain = next(module.for_device(some, Batches(4, 0), CPU))
        assert all(torch.equal(ahead_of_time[key], value) for key, value in plain.items())


def pairs(kind=Pairs):
    known = {"condition": "edges", "cond_channels": 1, "channels": 3, "batch_size": 4, "augment": {"flip": True}}
    return kind(dataset=Synthetic(8), size=16, load_size=20, **known).open()


def two():
    known = {"channels": 1, "batch_size": 4, "augment": {"flip": True}}
    return Unpaired(dataset=Synthetic(count=8, classes=2), size=16, load_size=20, **known).open()


@pytest.mark.parametrize("opened", [pairs, two])
def test_pairs_and_two_kinds_are_cut_on_the_gpu(opened, monkeypatch):
    """The same crops of the same samples: first the CPU stands for the GPU, then `meta`, which has no values."""
    monkeypatch.setattr(module, "fits", lambda caches, device: True)
    data = opened()
    plain = module.for_device(data, Batches(4, 0), CPU)
    with monkeypatch.context() as patch:
        patch.setattr(module, "OnDevice", lambda cached, device: OnDevice(cached, CPU))
        there = module.for_device(data, Batches(4, 0), torch.device("meta"))
        for _ in range(3):
            one, other = next(plain), next(there)
            assert list(one) == list(other)
            assert all(torch.equal(other[key], value) for key, value in one.items())
    placed = next(module.for_device(data, Batches(4, 0), torch.device("meta")))
    assert {key: value.device.type for key, value in placed.items()} == {
        key: "cpu" if "flip" in key else "meta" for key in one
    }


@pytest.mark.usefixtures("_no_gpu")
def test_batches_come_in_order_and_the_thread_goes():
    batches = ahead({"real": torch.tensor([i])} for i in range(10**9))
    assert [int(next(batches)["real"]) for _ in range(20)] == list(range(20))
    batches.close()
    end = time.monotonic() + 10
    while any("fetch" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.usefixtures("_no_gpu")
def test_an_error_comes_where_the_batch_is_asked_for():
    def broken():
        yield {"real": torch.zeros(1)}
        raise OSError("the disk is gone")

    batches = ahead(broken())
    next(batches)
    with pytest.raises(OSError, match="the disk is gone"):
        next(batches)
