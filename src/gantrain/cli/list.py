"""`gantrain list`: every experiment from the header of its YAML, without composing it."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from gantrain.errors import UserError
from gantrain.folders import configs_folder, data_folder


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("gantrain list", description="The experiments and whether their data is found.")
    parser.add_argument("--config-dir", type=Path, help="a folder with experiments of your own")
    args = parser.parse_args(words)
    if args.config_dir is not None and not args.config_dir.is_dir():
        raise UserError(f"--config-dir: there is no folder '{args.config_dir}'")
    folders = [configs_folder(), *([args.config_dir] if args.config_dir else [])]
    files = sorted((f for folder in folders for f in (folder / "experiment").rglob("*.yaml")), key=lambda f: f.stem)
    rows = [(file.stem, *describe(file)) for file in files]
    width = max((len(name) for name, *_ in rows), default=0)
    for name, description, data, found in rows:
        print(f"{name:<{width}}  {description}\n{'':<{width}}  data: {data} ({found})")
    print(f"\nData is looked for in {data_folder()}; $GANTRAIN_DATA or data.root= name another folder.")
    return 0


def describe(file: Path) -> tuple[str, str, str]:
    """The line of description, the data an experiment needs, and whether it is there.

    A header is the block of comments on top: the first sentence describes, `key: value` lines follow; `needs` names
    what must exist under the data folder, or `data.root` where any folder does.
    """
    facts: dict[str, str] = {}
    description = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        text = line.lstrip("#").strip()
        if text.startswith("@package") or not text:
            continue
        if found := re.match(r"(\w+):\s+(.*)", text):
            facts[found[1]] = found[2]
        elif not facts and not description:
            description = text
    needs = facts.get("needs")
    if needs is None:
        there = "built in"
    elif needs == "data.root":
        there = "name it with data.root="
    else:
        there = "found" if (data_folder() / needs).exists() else "not found"
    return description or "(no description)", facts.get("data", "not said"), there
