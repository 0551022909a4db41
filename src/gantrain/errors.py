"""The two ways a command ends badly, each one sentence for the person who ran it."""


class UserError(Exception):
    """A mistake in the input: the message names the key or file and the way out; the program exits with 2."""

    exit_code = 2


class Diverged(Exception):
    """Training produced a value that is not finite; the program exits with 1."""

    exit_code = 1


def misfit(error: Exception) -> UserError:
    """For a state that does not fit the networks or players of a run's config; torch's own message is long."""
    lines = str(error).splitlines() or [type(error).__name__]
    detail = (lines[1] if len(lines) > 1 else lines[0]).strip()
    return UserError(
        f".hydra/config.yaml: what it describes is not what the checkpoint holds ({detail}); undo the edit"
    )
