"""Means of scalars over a window of iterations, gathered on the device without a synchronisation."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class Meters:
    """Running sums of scalars, kept in place; `pop` returns the means since its last call and starts again.

    Values that are added together share one tensor of sums and one count: few small kernels per iteration.
    """

    def __init__(self) -> None:
        self.groups: dict[tuple[str, ...], tuple[Tensor, Tensor]] = {}

    def add(self, values: Mapping[str, Tensor], bad: Tensor | None = None) -> None:
        """Add scalars by tag; nothing where the flag `bad` is true."""
        if not values:
            return
        added = torch.stack([value.detach().float() for value in values.values()])
        one = added.new_ones(())
        if bad is not None:
            added, one = torch.where(bad, 0.0, added), (~bad).float()
        tags = tuple(values)
        if tags not in self.groups:
            self.groups[tags] = torch.zeros_like(added), torch.zeros_like(one)
        sums, count = self.groups[tags]
        sums.add_(added)
        count.add_(one)

    def pop(self) -> dict[str, float]:
        means = self.means()
        for sums, count in self.groups.values():  # in place: a captured iteration adds to these tensors
            sums.zero_()
            count.zero_()
        return means

    def means(self) -> dict[str, float]:
        """The means by tag; tags without a new value since the last `pop` are left out."""
        if not self.groups:
            return {}
        flat = torch.cat(
            [torch.cat([sums, count[None]]) for sums, count in self.groups.values()]
        ).tolist()  # one transfer
        totals: dict[str, list[float]] = {}
        for tags in self.groups:
            *sums, count = flat[: len(tags) + 1]
            flat = flat[len(tags) + 1 :]
            for tag, value in zip(tags, sums, strict=True):
                total = totals.setdefault(tag, [0.0, 0.0])  # in the order of their first appearance
                total[0] += value
                total[1] += count
        return {tag: value / count for tag, (value, count) in totals.items() if count}

    def state_dict(self) -> dict[str, Any]:
        """The state in plain types; a later `pop` does not change it."""
        return {
            "groups": [
                [list(tags), sums.to("cpu", copy=True), int(count)] for tags, (sums, count) in self.groups.items()
            ]
        }

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Load a state, also one of an older version, which kept every tag separately."""
        groups = state.get("groups")
        if groups is None:
            groups = [[[tag], value[None], state["counts"][tag]] for tag, value in state["sums"].items()]
        self.groups = {
            tuple(tags): (sums.to(device, copy=True), torch.tensor(float(count), device=device))
            for tags, sums, count in groups
        }
