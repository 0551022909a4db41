"""What numbers must be, whatever class takes them."""

from typing import Any

LARGEST_SEED = 2**63 - 1  # that torch's generators take


def check_whole(least: int, **values: Any) -> None:
    """Raise ValueError for a value, by its name, that is no whole number of `least` or more; null passes."""
    for name, value in values.items():
        if value is not None and (type(value) is not int or value < least):
            raise ValueError(f"{name} is {value!r}, it must be a whole number of {least} or more")


def check_positive(**values: float | None) -> None:
    """Raise ValueError for a value, by its name, that is not above 0; null passes."""
    for name, value in values.items():
        if value is not None and value <= 0:
            raise ValueError(f"{name} is {value}, it must be positive")
