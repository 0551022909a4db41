"""Errors that are one sentence for the person who ran a command, and what such sentences are made of."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake in the input: the message names the key or file and the way out; the program exits with 2."""

    exit_code = 2


class Diverged(Exception):
    """Training produced a value that is not finite; the program exits with 1."""

    exit_code = 1


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """`; did you mean 'a' or 'b'?`, or the whole list where nothing is near and it is short, else nothing."""
    options = sorted(set(options))
    near = difflib.get_close_matches(word, options, n=3, cutoff=0.6)
    if near:
        return "; did you mean " + " or ".join(f"'{name}'" for name in near) + "?"
    return f"; there are {', '.join(options)}" if 0 < len(options) <= 13 else ""


def one_line(error: Exception) -> str:
    """All that an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def first_line(error: Exception) -> str:
    """An error in one short line; torch's go on for a page."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
