"""What watches a run, from the nodes of its config: callbacks and loggers."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import Logger

from gantrain.callbacks.checkpoints import Checkpoints
from gantrain.callbacks.scores import Scores
from gantrain.config.build import build
from gantrain.errors import UserError
from gantrain.evaluation.base import Evaluation


def build_callbacks(config: Mapping[str, Any], evaluation: Evaluation | None) -> list[pl.Callback]:
    nodes = {name: node for name, node in config["callbacks"].items() if node is not None}
    callbacks = [build(node, f"callbacks.{name}", pl.Callback) for name, node in nodes.items()]
    if not any(isinstance(callback, Checkpoints) for callback in callbacks):
        raise UserError("callbacks.checkpoint: a run without checkpoints loses everything; leave it in")
    return callbacks if evaluation is None else [*callbacks, Scores(evaluation)]


def build_loggers(config: Mapping[str, Any], folder: Path | str, tag: str, iteration: int) -> list[Logger]:
    """The loggers of one stage, from `iteration` on; they make no file before training begins."""
    loggers = []
    for name, node in (config.get("logger") or {}).items():
        offered: dict[str, Any] = {
            # One folder per stage: purge_step hides every tag's later points, also those of the stage before.
            "save_dir": str(Path(folder, name, tag)),
            "purge_step": iteration + 1 if iteration else 0,  # 0: of a run killed before its first checkpoint
            "run_dir": str(folder),
            "config": dict(config),
        }
        partial = {**node, "_partial_": True} if isinstance(node, Mapping) else node
        taken = inspect.signature(build(partial, f"logger.{name}", Logger).func).parameters
        place = {key: value for key, value in offered.items() if key in taken and key not in node}
        loggers.append(build(node, f"logger.{name}", Logger, **place))
    return loggers
