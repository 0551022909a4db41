"""Loading of trained networks from a run's checkpoints or its exported files."""

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gantrain import rng
from gantrain.config.build import allow_plugins
from gantrain.config.stages import Stage, stages_of
from gantrain.data import GANDataModule
from gantrain.errors import UserError
from gantrain.files import TORCHSCRIPT
from gantrain.networks import torchscript
from gantrain.run.checkpoint import load_networks
from gantrain.run.exports import load_exported
from gantrain.run.folder import Run
from gantrain.run.hub import fetched, is_address
from gantrain.training.assemble import build_data, build_networks, build_stage
from gantrain.training.machine import accelerator


@dataclass
class Trained:
    """A run's family module with trained weights, its stage, and the names of the networks with trained weights.

    `iteration` and `images_seen` say how far the stage was trained.
    """

    module: Any
    stage: Stage
    names: Sequence[str]
    iteration: int
    images_seen: int

    @functools.cached_property
    def data(self) -> GANDataModule:
        """The stage's data, built from its config at first use; not opened."""
        return build_data(self.stage)

    @property
    def verbs(self) -> set[str]:
        """The verbs of its family and its data: what `gantrain VERB` can do with the run."""
        return {*self.module.verbs, *self.data.verbs}

    def network(self, name: str, raw: bool) -> Any:
        """A network for use: averaged unless `raw`, in eval mode, on the accelerator of the run's trainer."""
        return self.module.averaged(name, raw).eval().to(accelerator(self.stage.config["trainer"]))


_kept: dict[tuple[Path, tuple[str, ...], bool], Trained] = {}


@contextlib.contextmanager
def kept(folder: Path | str, plugins: Sequence[str] = ()) -> Iterator[Trained]:
    """While entered, `load_trained` returns this run without loading it again; for programs that use it many times."""
    key = Path(folder).resolve(), tuple(plugins), False
    _kept[key] = load_trained(folder, plugins)
    try:
        yield _kept[key]
    finally:
        del _kept[key]


def load_trained(folder: Path | str, plugins: Sequence[str] = (), best: bool = False) -> Trained:
    """A run with the weights of its newest checkpoint, of its `best` one, or of `networks/` if it has no checkpoint.

    The global random generators stay as they are. Raises UserError.
    """
    if (same := _kept.get((Path(folder).resolve(), tuple(plugins), best))) is not None:
        return same
    run = Run.open(fetched(str(folder)) if is_address(folder) else folder)
    config = run.config()
    trust(config, plugins)
    stages = stages_of(config)
    generators = rng.get_state(torch.device("cpu"))
    try:
        networks = build_networks(stages)
    finally:
        rng.set_state(generators, torch.device("cpu"))
    for stage in reversed(stages):
        state = run.best(stage.name) if best else run.newest(stage.name)
        if state is not None:
            module = build_stage(stage, networks)
            load_networks(module, state)
            return Trained(module, stage, list(module.networks), state["iteration"], state["images_seen"])
    if best:
        raise UserError(f"{folder} has no best checkpoint; a run with evaluation= keeps one")
    if not run.networks.is_dir():
        raise UserError(f"{folder} has no checkpoint yet; `gantrain resume {run.quoted}` trains on")
    module = build_stage(stages[-1], networks)
    if module.ema is not None:
        module.ema.start(module.networks)
    for name in module.networks_for_use():
        load_exported(module.averaged(name, raw=True), run.networks / name / "weights.safetensors")
        if module.ema is not None and name in module.ema.copies:
            load_exported(module.averaged(name), run.networks / name / "ema.safetensors")
    return Trained(module, stages[-1], list(module.networks_for_use()), *run.recorded(stages[-1].name))


def trust(config: Mapping[str, Any], plugins: Sequence[str]) -> None:
    """Allow a run's plugins if the user names them too: a stranger's run must not decide which code is imported.

    `plugins` may also contain the run's TorchScript files.
    """
    stated = config.get("plugins") or []
    for name in stated:
        if name not in plugins:
            raise UserError(
                f"plugins: this run takes code from '{name}'; name it as well if you trust it: plugins=[{name}]"
            )
    files = [name for name in plugins if name not in stated and Path(name).expanduser().is_file()]
    for name in plugins:
        if name not in stated and name not in files and name.endswith(TORCHSCRIPT):
            raise UserError(f"plugins: there is no file {name}")
    for file in files:
        torchscript.trust(Path(file).expanduser())
    allow_plugins([name for name in plugins if name not in files])
