"""Errors that are one sentence for the person who ran a command, and what such sentences are made of."""

import difflib
import errno
import sys
from collections.abc import Iterable

LONGEST = 1000  # letters


class UserError(Exception):
    """A mistake in the input: the message names the key or file and the way out; the program exits with 2.

    Of one that quotes a page the middle is left out.
    """

    exit_code = 2

    def __str__(self) -> str:
        text = super().__str__()
        return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"


class UnknownKey(UserError):
    """A key that its place in the config does not have; `text` says so without a way out, which may be found elsewhere.

    `key` is the whole path of what was asked for.
    """

    def __init__(self, text: str, key: str, way_out: str = ""):
        super().__init__(f"{text}{way_out}")
        self.text, self.key = text, key


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


def tell(sentence: str) -> None:
    """Say what a person should know beside what the program prints."""
    print(f"gantrain: {sentence}", file=sys.stderr, flush=True)


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """`; did you mean 'a' or 'b'?`, or the whole list where nothing is near and it is short, else nothing."""
    options = sorted(set(options))
    return near(word, options) or (f"; there are {', '.join(options)}" if 0 < len(options) <= 24 else "")


def unknown_key(text: str, key: str, options: Iterable[str]) -> UserError:
    """The error for a `key` that its place does not have, with those of its `options` that are near."""
    word = key.rpartition(".")[2]
    if way_out := near(word, options):
        return UserError(f"{text}{way_out}")
    return UnknownKey(text, key, did_you_mean(word, options) or "; leave it out")


def near(word: str, options: Iterable[str]) -> str:
    """`; did you mean 'a' or 'b'?`, or nothing where nothing is near."""
    found = difflib.get_close_matches(word, options, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(map(repr, found))}?" if found else ""


def one_line(error: Exception) -> str:
    """All that an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def first_line(error: BaseException) -> str:
    """An error in one short line; torch's go on for a page."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
