"""What must be true of the pictures found before anything trains on them; every rule ends in one sentence."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from gantrain.data.cache.pictures import Cached
from gantrain.data.source import Source
from gantrain.data.split import Part
from gantrain.data.survey import used_levels
from gantrain.errors import UserError, tell

FEW = 0.01  # below this share, unreadable pictures are left out without being asked
NAMED = 3


def check_readable(source: Source, cached: Cached, on_error: Literal["stop", "skip"]) -> None:
    """Warn of unreadable pictures that are left out; raise UserError where they are too many or all."""
    bad = cached.unreadable
    if not bad:
        return
    what = f"{len(bad):,} of {len(source):,} pictures cannot be read"
    if len(cached.rows) == 0:
        raise UserError(f"data.root: {what}: {named(source, bad)}; nothing is left to train on")
    if on_error == "stop" and len(bad) >= FEW * len(source):
        raise UserError(
            f"data.on_error: {what}: {named(source, bad)}; mend or remove them, or leave them out with "
            f"data.on_error=skip"
        )
    tell(f"{what} and are left out: {named(source, bad)}")


def tell_dropped(source: Source) -> None:
    """Say how many files, or rows of a list, are left out, and why."""
    if dropped := source.dropped:
        several = len(dropped) > 1
        reasons = ", ".join(f"{count:,} {reason}" if several else reason for reason, count in dropped.items())
        tell(f"{sum(dropped.values()):,} files or rows are left out: {reasons}")


def tell_levels(source: Source, cached: Cached) -> None:
    """Say where 16-bit files use less than half of the values from black to white: they would train near black."""
    used = used_levels(source, cached)
    if used is None:
        return
    black, white = source.framing.levels
    if used[1] - used[0] < (white - black) / 2:
        full = (1 << max(1, used[1]).bit_length()) - 1
        tell(
            f"the 16-bit pictures use the values {used[0]} to {used[1]} of {black} to {white}, so they look alike; "
            f"data.dataset.levels=[0,{full}] shows more"
        )


def check_large_enough(source: Source, cached: Cached, size: int) -> None:
    """Raise UserError where a file's shorter side is below `size`."""
    shorter = np.minimum(cached.looks["width"], cached.looks["height"])
    small = np.flatnonzero(shorter < size)
    if source.framing is None or not len(small):
        return
    sizes = {int(cached.rows[i]): "{}x{}".format(*cached.looks[i].item()[:2]) for i in small}
    raise UserError(
        f"data.size is {size}, but {len(small):,} of {len(shorter):,} pictures are smaller: "
        f"{named(source, sizes)}; enlarge them with data.upsize=true, or use data.size={shorter.min()} or less"
    )


def check_classes(source: Source, labels: np.ndarray | None, classes: int | None, learnt: Sequence[str] | None) -> None:
    """Raise UserError where the data have no classes, more or fewer than `classes`, or others than a run has learnt."""
    names = source.class_names
    if classes is not None and labels is None:
        astray = next((name for name in source.names if name.count("/") != 1), None)
        reason = f", for {astray!r} does not lie right in one of several folders" if source.framing and astray else ""
        raise UserError(f"data.classes is {classes} but the data have no classes{reason}")
    if classes is not None:
        whole = (source.source if isinstance(source, Part) else source).labels  # a part may lack the last class
        found = len(names) if names is not None else whole.max() + 1
        if found != classes:
            said = f" ({', '.join(names[:NAMED])}{', ...' if found > NAMED else ''})" if names is not None else ""
            raise UserError(
                f"data.classes is {classes} but the data have {found} classes{said}; set data.classes={found}"
            )
    if learnt is not None and names is not None and list(names) != list(learnt):
        raise UserError(
            f"data.class_names: the run has learnt the classes {', '.join(learnt)}, the data have {', '.join(names)}; "
            f"give it the same, in folders of the same names"
        )


def named(source: Source, remarks: Mapping[int, str]) -> str:
    """The first few pictures with a remark each, their names escaped: a name may hold a newline or worse."""
    first = sorted(remarks)[:NAMED]
    text = ", ".join(f"{source.name(index)!r} ({remarks[index]})" for index in first)
    return text + (f" and {len(remarks) - NAMED:,} more" if len(remarks) > NAMED else "")
