"""Errors that are one sentence for the person who ran a command, and what such sentences are made of."""

import difflib
import errno
from collections.abc import Iterable


class UserError(Exception):
    """A mistake in the input: the message names the key or file and the way out; the program exits with 2."""

    exit_code = 2


class Diverged(Exception):
    """Training produced a value that is not finite; the program exits with 1."""

    exit_code = 1


# What a disk lacks. Libraries raise errors of their own over these; other OSErrors that are hidden were dealt with.
OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
OF_THE_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "unable to mmap", "bad allocation")


def lacking(error: BaseException | None) -> str | None:
    """What the machine lacks, where the error is or hides an OSError, or tells of memory; None for any other."""
    outermost = error
    while error is not None:
        if isinstance(error, OSError) and (error is outermost or error.errno in OF_THE_DISK):
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            reason = "the disk is full" if full else error.strerror or first_line(error)
            return f"{error.filename}: {reason}" if error.filename else reason
        if isinstance(error, MemoryError) or any(word in str(error).lower() for word in OF_THE_MEMORY):
            return "there is not enough memory; ask for less at a time (data.batch_size, models.microbatches, -n)"
        error = error.__cause__ or error.__context__
    return None


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


def first_line(error: BaseException) -> str:
    """An error in one short line; torch's go on for a page."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
