"""Data where a GPU wants them: all samples in its memory, or the next batches in memory that it can read by itself."""

import contextlib
import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gantrain.data.batch import Batch

SHARE = 0.25  # of the GPU's memory that samples may take
AHEAD = 3  # batches


class OnDevice:
    """A cache whose stored samples lie on a device as well; all else is the cache's own."""

    def __init__(self, cached: Any, device: torch.device):
        self.cached, self.device = cached, device
        self.images = torch.empty(cached.images.shape, dtype=torch.uint8, device=device)
        step = max(1, (64 << 20) // max(1, cached.images[:1].nbytes))
        for start in range(0, len(cached.images), step):  # in pieces: the array is a map of a file
            piece = np.arange(start, min(start + step, len(cached.images)))
            self.images[start : start + step] = torch.from_numpy(cached.take(piece))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cached, name)

    def take(self, indices: np.ndarray) -> Tensor:
        """These samples (n, ...) uint8, on the device."""
        return self.images[torch.from_numpy(indices).to(self.device, non_blocking=True)]


def fits(caches: Sequence[Any], device: torch.device) -> bool:
    """Whether all samples of some caches take a small share of a GPU's memory."""
    if device.type != "cuda" or not all(hasattr(cached, "images") for cached in caches):
        return False
    total = sum(cached.images.nbytes for cached in caches)
    return total <= SHARE * torch.cuda.get_device_properties(device).total_memory


def ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, fetched by a thread into pinned memory before they are asked for."""
    made: queue.Queue[Batch | BaseException] = queue.Queue(AHEAD)
    ended = threading.Event()

    def put(item: Batch | BaseException) -> None:
        while not ended.is_set():
            with contextlib.suppress(queue.Full):
                made.put(item, timeout=0.1)
                return

    def fetch() -> None:
        try:
            for batch in batches:
                put({key: value.pin_memory() for key, value in batch.items()})
                if ended.is_set():
                    return
        except BaseException as error:  # told where the batch is asked for
            put(error)

    threading.Thread(target=fetch, daemon=True).start()
    try:
        while True:
            item = made.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        ended.set()
