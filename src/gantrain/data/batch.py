"""What training gets at a time, by the names that data and families share."""

from torch import Tensor

Batch = dict[str, Tensor]

SIDES = ("a", "b")  # of batches without pairs; their pictures are of classes 0 and 1
