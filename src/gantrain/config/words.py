"""The words of a command as they were typed, before Hydra reads them."""

import re
from typing import NamedTuple


class Word(NamedTuple):
    """`++key=value`; an option keeps its dashes in `key`, and `value` is None where there is no `=`."""

    sign: str  # nothing, +, ++ or ~
    key: str
    value: str | None


def parted(word: str) -> Word:
    return Word(*re.fullmatch(r"(~|\+{0,2})([^=]*)(?:=(.*))?", word, re.DOTALL).groups())
