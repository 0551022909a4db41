"""The header of an experiment: the comments on top of its YAML, which say what it is and what it costs."""

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

FACTS = ("paper", "source", "differs", "data", "needs", "command", "use", "cost", "expected", "measured")
"""What a header may say, in this order; `needs`: what must exist under the data folder, or `data.root`: any folder."""

FACT = re.compile(r"# (\w+): +(.+)")
MORE = re.compile(r"# {5,}(.+)")


@dataclass(frozen=True)
class Header:
    """One sentence of description, and facts by name; lines that go on are joined by spaces."""

    description: str
    facts: dict[str, str]


def read_header(file: Path) -> Header:
    lines = itertools.takewhile(lambda line: line.startswith("#"), file.read_text(encoding="utf-8").splitlines())
    description: list[str] = []
    facts: dict[str, str] = {}
    for line in lines:
        if found := FACT.match(line):
            facts[name := found[1]] = found[2].strip()
        elif facts and (found := MORE.match(line)):
            facts[name] += " " + found[1].strip()
        elif not facts and "@package" not in line and (text := line.lstrip("#").strip()):
            description.append(text)
    return Header(" ".join(description) or "(no description)", facts)
