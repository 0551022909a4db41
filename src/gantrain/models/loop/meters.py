"""Means of scalars over a window of iterations, gathered on the device without a synchronisation."""

from collections.abc import Mapping

import torch
from torch import Tensor


class Meters:
    """Running sums by tag; `pop` gives their means since the last time and starts anew."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, values: Mapping[str, Tensor]) -> None:
        for tag, value in values.items():
            value = value.detach().float()
            self.sums[tag] = self.sums[tag] + value if tag in self.sums else value
            self.counts[tag] = self.counts.get(tag, 0) + 1

    def pop(self) -> dict[str, float]:
        if not self.sums:
            return {}
        sums = torch.stack(list(self.sums.values())).tolist()  # one transfer for all tags
        means = {tag: s / self.counts[tag] for tag, s in zip(self.sums, sums, strict=True)}
        self.sums, self.counts = {}, {}
        return means

    def state_dict(self) -> dict:
        return {"sums": {tag: value.cpu() for tag, value in self.sums.items()}, "counts": dict(self.counts)}

    def load_state_dict(self, state: dict, device: torch.device) -> None:
        self.sums = {tag: value.to(device) for tag, value in state["sums"].items()}
        self.counts = dict(state["counts"])
