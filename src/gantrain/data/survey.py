"""What a cache holds, in numbers and words for people: sizes, modes, classes, copies."""

import contextlib
from collections import Counter, defaultdict
from itertools import zip_longest

import numpy as np

from gantrain.data.cache.pictures import Cached
from gantrain.data.formats.decode import Unreadable, guarded
from gantrain.data.source import Source

NAMED = 20  # classes
LOOKED_INTO = 64  # files of 16 bits


def told(source: Source, cached: Cached) -> dict[str, str]:
    """What is to be said of a source and its cache."""
    dropped = sum(source.dropped.values())
    modes = Counter(mode.decode() for mode in cached.looks["mode"])  # Pillow's: L, RGB, RGBA, P, ...
    return {
        "sizes": _sizes(cached),
        **({"16 bits": deep} if (deep := _deep(source, cached)) else {}),
        "modes": ", ".join(f"{mode} {count:,}" for mode, count in modes.most_common()),
        "classes": _classes(source, cached),
        "copies": _copies(source, cached),
        "unreadable": f"{len(cached.unreadable):,}" if cached.unreadable else "none",
        "left out": f"{dropped:,} files or rows" if dropped else "none",
    }


def _sizes(cached: Cached) -> str:
    found = Counter((int(width), int(height)) for width, height, _ in cached.looks)
    if not found:
        return "none"
    by_area = sorted(found, key=lambda size: (size[0] * size[1], size))
    commonest, count = found.most_common(1)[0]
    if len(found) == 1:
        return "all {}x{}".format(*commonest)
    return "from {}x{} to {}x{}, most often {}x{} ({:,})".format(*by_area[0], *by_area[-1], *commonest, count)


def _classes(source: Source, cached: Cached) -> str:
    if cached.labels is None:
        return "none"
    counts = np.bincount(cached.labels).tolist()
    names = source.class_names or [str(number) for number in range(len(counts))]
    printable = [name if name.isprintable() else repr(name) for name in names]
    listed = [f"{name} {count:,}" for name, count in zip_longest(printable, counts, fillvalue=0)]
    more = f", and {len(listed) - NAMED:,} more" if len(listed) > NAMED else ""
    return f"{len(listed)}: {', '.join(listed[:NAMED])}{more}"


def _copies(source: Source, cached: Cached) -> str:
    groups = copies(cached)
    if not groups:
        return "none"
    pairs = ", ".join(" = ".join(repr(source.name(cached.rows[i])) for i in group[:2]) for group in groups[:3])
    more = ", ..." if len(groups) > 3 else ""
    return f"{sum(len(group) - 1 for group in groups):,} pictures have the pixels of another: {pairs}{more}"


def _deep(source: Source, cached: Cached) -> str:
    if (used := used_levels(source, cached)) is None:
        return ""
    return "values from {} to {}, of which {} become black and {} white".format(*used, *source.framing.levels)


def used_levels(source: Source, cached: Cached) -> tuple[int, int] | None:
    """The lowest and the highest value in 16-bit files, in some of many; None where there are none."""
    deep = cached.rows[np.char.startswith(cached.looks["mode"], b"I")]
    if source.framing is None or not len(deep):
        return None
    lows, highs = [], []
    for index in deep[:: -(-len(deep) // LOOKED_INTO)].tolist():
        with contextlib.suppress(Unreadable), guarded(), source.read(index) as picture:
            values = np.asarray(picture)
            lows.append(int(values.min()))
            highs.append(int(values.max()))
    return (min(lows), max(highs)) if lows else None


def copies(cached: Cached) -> list[list[int]]:
    """Groups of pictures whose pixels are the same at this size, as positions in the cache."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    for i, digest in enumerate(cached.digests()):
        groups[digest].append(i)
    return [group for group in groups.values() if len(group) > 1]
