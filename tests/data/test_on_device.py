"""Samples on a device are the cache's own, and batches fetched ahead are the same in the same order."""

import threading
import time

import numpy as np
import pytest
import torch

from gantrain.data.on_device import OnDevice, ahead, fits

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
    assert not fits(Cached(), CPU)  # it is no GPU


@pytest.fixture
def _no_gpu(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self)


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
