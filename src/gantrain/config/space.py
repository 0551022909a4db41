"""What a search is to try for which keys: the file of `gantrain tune --space`."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gantrain.errors import UserError, one_line

LARGEST = 64 << 10  # bytes
Space = Mapping[str, Any]  # for each key a list of choices, or {low, high} with log or step


def read_space(file: Path) -> dict[str, Any]:
    """Keys and what to try for each: a list of choices, or {low, high} with log or step. Raises UserError."""
    try:
        if file.stat().st_size > LARGEST:
            raise UserError(f"--space: {file} has more than {LARGEST >> 10} kB; it holds a line for each key")
        space: Any = OmegaConf.to_container(OmegaConf.load(file))
    except OSError as error:
        raise UserError(f"--space: cannot read {file} ({error.strerror or error}); name a YAML file") from error
    except (OmegaConfBaseException, ValueError) as error:
        raise UserError(f"--space: cannot read {file} ({one_line(error)[:200]}); write YAML in UTF-8") from error
    except RecursionError as error:
        raise UserError(f"--space: {file} holds a part within itself; write a line for each key") from error
    except yaml.YAMLError as error:
        raise UserError(
            f"--space: {file} is no YAML ({one_line(error)[:200]}); write such as `losses: [hinge]`"
        ) from error
    if not isinstance(space, dict) or not space:
        raise UserError(f"--space: {file} must hold lines such as `networks.generator.width: {{low: 8, high: 32}}`")
    for key, values in space.items():
        check_values(f"{file}: {str(key)[:100]}", values)
    return space


def check_values(where: str, values: Any) -> None:
    """Raise UserError unless it is a list of choices or a range."""
    if isinstance(values, list) and values and all(isinstance(v, (str, int, float, bool)) for v in values):
        return
    if not isinstance(values, dict) or not {"low", "high"} <= set(values) <= {"low", "high", "log", "step"}:
        raise UserError(f"--space: {where}: write a list of choices, or {{low: A, high: B}} with log: true or step: C")
    low, high, step = values["low"], values["high"], values.get("step", 1)
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v) for v in (low, high, step)):
        raise UserError(f"--space: {where}: low, high and step must be numbers")
    if low >= high or step <= 0:
        raise UserError(f"--space: {where}: low must be below high, and step above 0")
    if values.get("log") and (low <= 0 or "step" in values):
        raise UserError(f"--space: {where}: with log, low must be above 0, and there is no step")


def ends(space: Space) -> dict[str, list[Any]]:
    """The values of each key that are looked at before any trial."""
    return {k: list(v) if isinstance(v, list) else [v["low"], v["high"]] for k, v in space.items()}
