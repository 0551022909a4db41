"""What a cache holds, in numbers for people: sizes, modes, classes, copies."""

import hashlib
from collections import Counter

import numpy as np

from gantrain.data.cache.pictures import Cached

STRIDE = 1024  # pictures looked at together


def sizes(cached: Cached) -> Counter[tuple[int, int]]:
    """How many pictures were stored with each (width, height)."""
    return Counter((int(width), int(height)) for width, height, _ in cached.looks)


def modes(cached: Cached) -> Counter[str]:
    """How many pictures were stored in each of Pillow's modes: L, RGB, RGBA, P, ..."""
    return Counter(mode.decode() for mode in cached.looks["mode"])


def class_counts(cached: Cached) -> list[int]:
    """How many pictures each class has; nothing without classes."""
    return [] if cached.labels is None else np.bincount(cached.labels).tolist()


def copies(cached: Cached) -> list[list[int]]:
    """Groups of pictures whose pixels are the same at this size, as positions in the cache."""
    digests = np.empty(len(cached.rows), np.uint64)
    for start in range(0, len(digests), STRIDE):
        rows = cached.take(np.arange(start, min(start + STRIDE, len(digests))))
        for i, row in enumerate(rows, start):
            digests[i] = int.from_bytes(hashlib.blake2b(row.tobytes(), digest_size=8).digest(), "little")
    order = np.argsort(digests, kind="stable")
    borders = np.flatnonzero(np.diff(digests[order])) + 1
    groups = [group.tolist() for group in np.split(order, borders) if len(group) > 1]
    return sorted(groups)
