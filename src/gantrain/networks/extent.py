"""What a network says of the sizes of pictures that it takes, where it takes others than it was trained with."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class AnySize(Protocol):
    """A network that takes pictures of any sides that are multiples of `multiple`."""

    multiple: int


@runtime_checkable
class Local(Protocol):
    """An output pixel depends on input pixels within `reach` alone: tiles that overlap by it join without a seam."""

    reach: int
