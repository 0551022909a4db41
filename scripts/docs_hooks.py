"""What mkdocs does to a page of docs/ before it is shown.

`<!-- experiment: NAME -->` becomes the header of that experiment, so that its numbers stand in one place.
Links to files outside of docs/, which only the repository has, become their paths.
"""

import re
from pathlib import Path
from typing import Any

from gantrain.config.header import read_header

EXPERIMENTS = Path(__file__).parents[1] / "configs" / "experiment"
MARK = re.compile(r"<!-- experiment: (\w+) -->")
OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(configs|src|scripts)(/[^)]*)?\)")
SHOWN = ("paper", "source", "differs", "data", "cost", "expected", "measured")


def on_page_markdown(markdown: str, **page: Any) -> str:
    return MARK.sub(
        lambda found: described(found[1]), OUTSIDE.sub(lambda found: f"`{found[2]}{found[3] or ''}`", markdown)
    )


def described(name: str) -> str:
    """The header of an experiment as Markdown."""
    header = read_header(EXPERIMENTS / f"{name}.yaml")
    command = header.facts["command"].replace("python -m gantrain", "gantrain")
    facts = [f"- **{fact}**: {plain(header.facts[fact])}" for fact in SHOWN if fact in header.facts]
    return "\n".join([f"### `{name}`", "", plain(header.description), "", f"`{command}`", "", *facts, ""])


def plain(text: str) -> str:
    """Text without what Markdown would read as marks."""
    return re.sub(r"([\\*_\[\]<>#])", r"\\\1", text)
