"""`gantrain show X`: show the config that training would have, and where each value comes from.

X is an experiment's name or experiment=NAME. Other words are those of training. It prints YAML.

Examples:
    gantrain show dcgan_mnist
    gantrain show wgangp_mnist seed=1 losses=hinge
"""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from gantrain.cli.options import Add
from gantrain.config.compose import composed, named_experiment
from gantrain.config.origins import origin_of, origins

COMMENT = 60  # the column where comments begin, unless the value is longer


def add_options(add: Add) -> None:
    add("overrides", nargs="+", metavar="X", help="an experiment, and key=value as for training")
    add("--config-dir", help="a folder with experiments of your own")


def main(args: argparse.Namespace) -> None:
    words = named_experiment(args.overrides)
    config = composed(words, args.config_dir)
    print("\n".join(described(config, origins(words, args.config_dir))))


def described(node: Mapping[str, Any], found: Mapping[str, str], prefix: str = "") -> Iterator[str]:
    """The lines of a config, each value with its origin as a comment."""
    indent = "  " * prefix.count(".")
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{key}:"
            yield from described(value, found, f"{prefix}{key}.")
        else:
            text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6).splitlines()[0]
            yield f"{f'{indent}{key}: {text}':<{COMMENT}}  # {origin_of(f'{prefix}{key}', found)}"
