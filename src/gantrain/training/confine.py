"""What the config of a run that goes on may write to: it can be a stranger's."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gantrain.config.paths import held
from gantrain.config.stages import stages_of
from gantrain.errors import UserError
from gantrain.run.folder import Run


def confine(run: Run, config: dict[str, Any], named: Sequence[str]) -> None:
    """Raise UserError for a place outside of the run and the usual cache that is not among the keys `named` again.

    Nothing is downloaded any more: the data are there since the run began.
    """
    for place, node, key, whole in held(config):
        if place.key == "data.cache_dir" and node[key] is not None:
            _refuse(run, whole, str(node[key]), named)
    for name, node in (config.get("logger") or {}).items():
        for key, value in node.items() if isinstance(node, Mapping) else ():
            if isinstance(value, str) and key != "_target_" and _is_path(key, value):
                _refuse(run, f"logger.{name}.{key}", value, named)
    for stage in stages_of(config):
        if isinstance(dataset := stage.config["data"].get("dataset"), dict) and dataset.get("download"):
            dataset["download"] = False


def _is_path(key: str, value: str) -> bool:
    local = value.startswith(("/", "~", "file:", "sqlite:")) or ".." in Path(value).parts
    return local or (key.endswith("dir") and "://" not in value)


def _refuse(run: Run, key: str, value: str, named: Sequence[str]) -> None:
    inside = Path(value).expanduser().resolve().is_relative_to(run.folder.resolve())
    if not inside and not any(key == word or key.startswith(f"{word}.") for word in named):
        raise UserError(
            f"{key} is {value}, outside of the run; if you want that, name it again: "
            f"gantrain resume {run.quoted} {key}={value}"
        )
