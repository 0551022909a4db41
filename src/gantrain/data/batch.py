"""What training gets at a time."""

from torch import Tensor

Batch = dict[str, Tensor]
