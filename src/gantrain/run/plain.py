"""Bounds of what is read from a file that may be a stranger's."""

import json
from collections.abc import Mapping
from typing import Any

# What torch and Python raise where values have other names, shapes or kinds than expected.
UNFIT = (LookupError, ValueError, RuntimeError, TypeError, AttributeError)
MOST_VALUES = 200_000
MOST_TEXT = 4 << 20  # characters
DEEPEST = 40


def bounded_json(text: str) -> Any:
    """What a text of JSON holds. Raises ValueError, also for what is too large or too deep."""
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is too deep") from error
    refuse_unbounded(value)
    return value


def refuse_unbounded(value: Any) -> None:
    """Raise ValueError for what is no plain value, or for too many of them: YAML may repeat one without end."""
    waiting, values, text = [(value, 1)], 0, 0
    while waiting:
        part, depth = waiting.pop()
        values += 1
        text += len(part) if isinstance(part, str) else 0
        if values > MOST_VALUES or text > MOST_TEXT or depth > DEEPEST:
            raise ValueError("it holds too much, or too deep in each other")
        if isinstance(part, Mapping):
            waiting += [(inner, depth + 1) for pair in part.items() for inner in pair]
        elif isinstance(part, list):
            waiting += [(inner, depth + 1) for inner in part]
        elif part is not None and not isinstance(part, (str, int, float)):
            raise ValueError(f"it holds a {type(part).__name__}")
