"""Reads the words of a verb. What it cannot read is refused in one sentence, as all that is wrong is."""

import argparse
import itertools
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from gantrain.errors import UserError, did_you_mean

# What argparse says, and how we say it.
SAID = {
    r"argument (\S+): invalid choice: (.+) \(choose from (.+)\)": r"\1 is \2, it must be one of \3",
    r"argument (\S+): invalid int value: (.+)": r"\1 is \2, it must be a whole number",
    r"argument (\S+): invalid float value: (.+)": r"\1 is \2, it must be a number",
    r"argument (\S+): expected (?:one|at least one) argument": r"\1 has no value; write one behind it",
    r"argument (\S+): ignored explicit argument (.+)": r"\1 takes no value; leave out \2",
    r"ambiguous option: (.+) could match (.+)": r"\1 may be \2; write the whole name",
}


class Parser(argparse.ArgumentParser):
    """argparse's, but it raises UserError where argparse prints the usage and ends the program."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self._negative_number_matcher = re.compile(r"-[\d.,]+$")  # also several, as --psi -1,0

    def error(self, message: str) -> NoReturn:
        raise UserError(self.sentence(message))

    def sentence(self, message: str) -> str:
        if found := re.fullmatch("the following arguments are required: (.+)", message):
            return f"{self.prog}: {found[1]} missing; `{self.prog} --help` shows examples"
        if found := re.fullmatch("unrecognized arguments: (.+)", message, re.DOTALL):
            options = [word for word in found[1].split() if word.startswith("-")]
            if not options:
                return f"{self.prog}: {found[1]!r} is too much; leave it out"
            name = options[0].partition("=")[0]
            return f"{self.prog}: there is no option '{name}'{did_you_mean(name, self._option_string_actions)}"
        for pattern, ours in SAID.items():
            if found := re.fullmatch(pattern, message, re.DOTALL):
                return found.expand(ours)
        return message


def refuse_empty(words: Sequence[str]) -> None:
    """Raise UserError for an option with an empty value, as a shell makes it of a variable that is not set."""
    for option, value in itertools.pairwise([*words, "end"]):
        name, equals, given = option.partition("=")
        if name.startswith("-") and (not value or (equals and not given)):
            raise UserError(f"{name} has an empty value; write one, or leave {name} out")
