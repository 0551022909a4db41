"""The size and parts of batches, sums and means of the scalars of a turn."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gantrain.data.batch import Batch
from gantrain.errors import UserError

Scalars = dict[str, Tensor]


def batch_size(batch: Batch) -> int:
    return len(next(iter(batch.values())))


def split(batch: Batch, parts: int) -> list[Batch]:
    """The batch in `parts` equal parts; raises UserError where it does not divide."""
    n = batch_size(batch)
    if n % parts:
        raise UserError(f"models.microbatches: a batch of {n} does not divide into {parts} equal parts")
    return [{key: value[i : i + n // parts] for key, value in batch.items()} for i in range(0, n, n // parts)]


def total(terms: Scalars) -> Tensor:
    return torch.stack([term.float() for term in terms.values()]).sum()


def detach(values: Scalars) -> Scalars:
    return {key: value.detach() for key, value in values.items()}


def mean(parts: Sequence[Scalars]) -> Scalars:
    if len(parts) == 1:
        return parts[0]
    return {key: torch.stack([part[key] for part in parts]).mean() for key in parts[0]}
