"""`gantrain list`: list every experiment, as the header of its YAML describes it.

Examples:
    gantrain list
    gantrain list --config-dir mine
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gantrain.config.header import read_header
from gantrain.errors import UserError
from gantrain.folders import configs_folder, data_folder


def add_options(add: Callable[..., Any]) -> None:
    add("--config-dir", type=Path, help="a folder with experiments of your own")


def main(args: argparse.Namespace) -> None:
    if args.config_dir is not None and not args.config_dir.is_dir():
        raise UserError(f"--config-dir: there is no folder '{args.config_dir}'")
    folders = [configs_folder(), *([args.config_dir] if args.config_dir else [])]
    files = sorted((f for folder in folders for f in (folder / "experiment").rglob("*.yaml")), key=lambda f: f.stem)
    rows = [(file.stem, *describe(file)) for file in files]
    width = max((len(name) for name, *_ in rows), default=0)
    for name, description, data, found in rows:
        print(f"{name:<{width}}  {description}\n{'':<{width}}  data: {data} ({found})")
    print(f"\nData is looked for in {data_folder()}; $GANTRAIN_DATA or data.root= name another folder.")


def describe(file: Path) -> tuple[str, str, str]:
    """The line of description, the data an experiment needs, and whether it is there."""
    header = read_header(file)
    needs = header.facts.get("needs")
    if needs is None:
        there = "built in"
    elif needs == "data.root":
        there = "name it with data.root="
    else:
        there = "found" if (data_folder() / needs).exists() else "not found"
    return header.description, header.facts.get("data", "not said"), there
