"""The two ways a command ends badly, each one sentence for the person who ran it."""


class UserError(Exception):
    """A mistake in the input: the message names the key or file and the way out; the program exits with 2."""

    exit_code = 2


class Diverged(Exception):
    """Training produced a value that is not finite; the program exits with 1."""

    exit_code = 1
