"""`gantrain resume RUN [key=value ...]`: continue a run with its own config."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from gantrain.config import LENGTHS, check
from gantrain.errors import Diverged, UserError
from gantrain.launch import explain_divergence
from gantrain.quiet import quiet_libraries
from gantrain.runs import Run


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("gantrain resume", description="Continue a run with its own config.")
    parser.add_argument("run", type=Path, help="the run's directory")
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="a new length, trainer.*, data.root, logger.*"
    )
    args = parser.parse_args(words)
    quiet_libraries()
    run = Run.open(args.run)
    config = run.config()
    for override in args.overrides:
        apply(config, override)
    check(config)
    from gantrain.train import print_end, resume

    try:
        outcome = resume(run.folder, config)
    except Diverged as error:
        raise Diverged(explain_divergence(error, run.folder)) from error
    print_end(outcome)
    return 128 + outcome.signum if outcome.signum else 0


def apply(config: dict[str, Any], override: str) -> None:
    """Set one key of a run's config. Raises UserError for a key that would make it another run."""
    key, equals, text = override.partition("=")
    if not equals:
        raise UserError(f"'{override}' is no override; write key=value")
    path = key.split(".")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{key}: cannot read the value '{text}'") from error
    stages = config.get("stages") or {}
    if key == "data.root":
        for node in [config, *stages.values()]:
            if node.get("data"):
                node["data"]["root"] = str(Path(value).expanduser().absolute())
        return
    if stages and path[0] in LENGTHS:
        ways = ", ".join(f"stages.{name}.{key}=" for name in stages)
        raise UserError(f"{key}: this run has several stages, each with its own length; use {ways}")
    if path[0] == "stages" and len(path) == 3 and path[2] in LENGTHS:
        if path[1] not in stages:
            raise UserError(f"{key}: there is no stage '{path[1]}'; there are {', '.join(stages) or 'none'}")
        node = stages[path[1]]
        node[LENGTHS[1 - LENGTHS.index(path[2])]] = None
        node[path[2]] = value
        return
    allowed = key in LENGTHS or path[0] in ("trainer", "logger", "evaluation")
    if not allowed or key == "trainer.precision":
        raise UserError(
            f"{key}: a resumed run keeps its config; only iterations, epochs, trainer.* but precision, data.root, "
            f"logger and evaluation may change; for anything else start a new run with init_from={{RUN}}"
        )
    if key in LENGTHS:
        config[LENGTHS[1 - LENGTHS.index(key)]] = None
    node = config
    for part in path[:-1]:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise UserError(f"{key}: {part} holds no keys")
    node[path[-1]] = value
