"""What numbers must be, whatever class takes them."""

from typing import Any


def check_whole(least: int, **values: Any) -> None:
    """Raise ValueError for a value, by its name, that is no whole number of `least` or more."""
    for name, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} is {value!r}, it must be a whole number of {least} or more")
