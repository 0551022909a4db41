"""A run's directory: its layout, finding its checkpoints, loading its networks back."""

import contextlib
import errno
import json
import os
import pickle
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from gantrain.build import allow_plugins, build
from gantrain.config import ONLY_STAGE, check, stages_of
from gantrain.errors import UserError

UNREADABLE = (OSError, RuntimeError, ValueError, KeyError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile)


class Run:
    """`folder` holds `.hydra/config.yaml`, `checkpoints/`, `samples/`, `tensorboard/`, `networks/`, `metrics.jsonl`."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)

    # ---- the directory -----------------------------------------------------------------------------------------------

    @property
    def config_file(self) -> Path:
        return self.folder / ".hydra" / "config.yaml"

    @property
    def metrics_file(self) -> Path:
        return self.folder / "metrics.jsonl"

    def samples(self, tag: str) -> Path:
        return self.folder / "samples" / tag

    def checkpoints(self, stage: str) -> Path:
        return self.folder / "checkpoints" / (stage or ONLY_STAGE)

    @classmethod
    def create(cls, folder: Path, config: Mapping[str, Any]) -> "Run":
        """Make the directory of a new run. Raises UserError where it holds a run already or cannot be written."""
        run = cls(folder)
        run.refuse_if_taken()
        try:
            run.config_file.parent.mkdir(parents=True, exist_ok=True)
            run.write_config(config)
        except OSError as error:
            raise UserError(
                f"hydra.run.dir: cannot write {folder} ({error.strerror}); name another with hydra.run.dir="
            ) from error
        return run

    def refuse_if_taken(self) -> None:
        if self.config_file.exists() or (self.folder / "checkpoints").exists():
            raise UserError(
                f"hydra.run.dir: {self.folder} already holds a run; `gantrain resume {self.folder}` continues it, "
                f"or name another directory"
            )

    @classmethod
    def open(cls, folder: Path | str) -> "Run":
        """An existing run. Raises UserError where `folder` is none."""
        run = cls(folder)
        if not run.config_file.is_file():
            raise UserError(
                f"{folder} is no run: it has no .hydra/config.yaml; name a directory like runs/<experiment>/<date>"
            )
        return run

    def write_config(self, config: Mapping[str, Any]) -> None:
        with replacing(self.config_file) as temporary:
            temporary.write_text(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))

    def config(self) -> dict[str, Any]:
        """What ran, resolved."""
        try:
            config = yaml.safe_load(self.config_file.read_text())
            check(config)
        except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError, UnicodeDecodeError) as error:
            raise UserError(
                f"{self.config_file} is damaged ({_one_line(error)}); put back the one that the run wrote"
            ) from error
        return config

    # ---- checkpoints -------------------------------------------------------------------------------------------------

    def save_checkpoint(self, stage: str, state: Mapping[str, Any], keep: int) -> Path:
        """Write `<iteration>.ckpt` so that a crash or a full disk leaves the older ones whole; keep the newest."""
        folder = self.checkpoints(stage)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{state['iteration']:08d}.ckpt"
        with replacing(file) as temporary:
            torch.save(dict(state), temporary)
        for old in self.checkpoint_files(stage)[keep:]:
            old.unlink(missing_ok=True)
        return file

    def checkpoint_files(self, stage: str) -> list[Path]:
        """The numbered checkpoints, newest first."""
        files = self.checkpoints(stage).glob("*.ckpt")
        return sorted((f for f in files if f.stem.isdigit()), key=lambda f: int(f.stem), reverse=True)

    def newest(self, stage: str) -> dict[str, Any] | None:
        """The newest checkpoint that can be read, or None; unreadable ones are passed over with a warning."""
        for file in self.checkpoint_files(stage):
            try:
                return read_checkpoint(file)
            except UNREADABLE as error:
                print(f"warning: {file} cannot be read ({_first_line(error)}); trying the one before", file=sys.stderr)
        return None

    def finished(self, stage: str) -> int | None:
        """The length at which the stage ended, or None."""
        marker = self.checkpoints(stage) / "finished.json"
        if not marker.is_file():
            return None
        return json.loads(marker.read_text())["iterations"]

    def mark_finished(self, stage: str, iterations: int) -> None:
        with replacing(self.checkpoints(stage) / "finished.json") as temporary:
            temporary.write_text(json.dumps({"iterations": iterations}))

    # ---- what was recorded -------------------------------------------------------------------------------------------

    def cut_metrics(self, stages: list[str], stage: str, iteration: int) -> None:
        """Drop the records after `iteration` of `stage`: a resumed run writes them anew."""
        if not self.metrics_file.is_file():
            return
        kept = []
        for line in self.metrics_file.read_text().splitlines(keepends=True):
            try:
                record = json.loads(line)
            except ValueError:
                continue  # a line cut off by a crash
            order = stages.index(record["stage"]) - stages.index(stage)
            if order < 0 or (order == 0 and record["iteration"] <= iteration):
                kept.append(line)
        with replacing(self.metrics_file) as temporary:
            temporary.write_text("".join(kept))

    # ---- networks for use --------------------------------------------------------------------------------------------

    def export(self, networks: Mapping[str, nn.Module], averaged: Mapping[str, nn.Module], nodes: Mapping) -> None:
        """Write `networks/<name>/`: weights.safetensors, ema.safetensors where kept, config.json."""
        for name, network in networks.items():
            folder = self.folder / "networks" / name
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(folder / "config.json") as temporary:
                temporary.write_text(json.dumps(nodes[name], indent=2))
            kinds = {"weights": network, **({"ema": averaged[name]} if name in averaged else {})}
            for kind, source in kinds.items():
                tensors = {key: value.detach().cpu().contiguous() for key, value in source.state_dict().items()}
                with replacing(folder / f"{kind}.safetensors") as temporary:
                    save_file(tensors, temporary)


@contextlib.contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A temporary file beside `file` that takes its place once it is whole and on the disk."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def read_checkpoint(file: Path) -> dict[str, Any]:
    """A checkpoint's tensors and plain types, on the CPU. Raises one of `UNREADABLE`."""
    with zipfile.ZipFile(file) as archive:  # torch itself does not verify the checksums
        if (damaged := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"{damaged} is damaged")
    state = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or "networks" not in state:
        raise ValueError("it is no checkpoint of gantrain")
    return state


def load(run: Path | str, raw: bool = False) -> dict[str, nn.Module]:
    """The trained networks of a run by name, in eval mode on the CPU: EMA weights where kept, with `raw` the others.

    `run` is the run's directory. Raises UserError where it is no run or has nothing trained yet.
    """
    module = load_module(run)
    return {name: module.best(name, raw).eval().requires_grad_(False) for name in module.networks_for_use()}


def load_module(folder: Path | str) -> Any:
    """The run's family module with the weights of its newest checkpoint, or of `networks/` where there is none."""
    from gantrain.train import build_networks, build_stage  # it imports this module

    run = Run.open(folder)
    config = run.config()
    allow_plugins(config.get("plugins") or [])
    stages = stages_of(config)
    for stage in reversed(stages):
        state = run.newest(stage.name)
        if state is not None:
            module = build_stage(stage, build_networks(stages))
            load_weights(module, state, run)
            return module
    module = build_stage(stages[-1], build_networks(stages))
    if not (run.folder / "networks").is_dir():
        raise UserError(f"{folder} has no checkpoint yet; `gantrain resume {folder}` trains on")
    if module.ema is not None:
        module.ema.start(module.networks)
    for name in module.networks_for_use():
        _load_exported(module.best(name, raw=True), run.folder / "networks" / name / "weights.safetensors")
        if module.ema is not None and name in module.ema.copies:
            _load_exported(module.best(name), run.folder / "networks" / name / "ema.safetensors")
    return module


def load_weights(module: Any, state: Mapping[str, Any], run: Run) -> None:
    """A checkpoint's networks into a module. Raises UserError where they do not fit."""
    try:
        module.load_networks(state)
    except (RuntimeError, KeyError) as error:
        raise UserError(misfit(run.config_file, error)) from error


def load_network(folder: Path | str, raw: bool = False) -> nn.Module:
    """One exported network from its folder `networks/<name>`, in eval mode: all that another program needs."""
    folder = Path(folder)
    try:
        node = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder} is no exported network ({error}); name a folder like RUN/networks/generator"
        ) from error
    network = build(node, "config.json", nn.Module)
    averaged = folder / "ema.safetensors"
    _load_exported(network, averaged if averaged.is_file() and not raw else folder / "weights.safetensors")
    return network.eval().requires_grad_(False)


def _load_exported(network: nn.Module, file: Path) -> None:
    try:
        network.load_state_dict(load_file(file))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise UserError(f"{file} cannot be loaded ({_first_line(error)}); export it again from a checkpoint") from error


def misfit(config_file: Path, error: Exception) -> str:
    """One sentence for weights that do not fit the networks of a config."""
    lines = str(error).splitlines()
    detail = lines[1].strip() if len(lines) > 1 else lines[0]
    return f"{config_file}: the networks it describes are not those of the checkpoint ({detail}); undo the edit"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def explain_os_error(error: OSError, run: Run) -> str:
    """One sentence for a run that could not write, with what survives."""
    reason = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)
    return (
        f"cannot write in {run.folder}: {reason}; the last whole checkpoint is kept, "
        f"mend it and `gantrain resume {run.folder}`"
    )
