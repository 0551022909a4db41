"""Nearest names, for error messages."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """`; did you mean 'a' or 'b'?`, or the whole list where nothing is near and it is short, else nothing."""
    options = sorted(set(options))
    near = difflib.get_close_matches(word, options, n=3, cutoff=0.6)
    if near:
        return "; did you mean " + " or ".join(f"'{name}'" for name in near) + "?"
    return f"; there are {', '.join(options)}" if 0 < len(options) <= 12 else ""
