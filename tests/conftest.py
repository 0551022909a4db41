"""Fixtures: quick deterministic runs, in process, in temporary folders."""

import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # bitwise equality is promised on the CPU
os.environ.pop("GANTRAIN_DATA", None)

import pytest
import torch
from forked import ForkedWorker
from hub_server import serving
from quick_hydra import quickly
from scheduled import SCHEDULED

from gantrain.callbacks import networks, samples
from gantrain.cli.main import main
from gantrain.evaluation import samples as scores
from gantrain.evaluation.measures.bootstrap import standard_error
from gantrain.report import curves
from gantrain.training import fit, processes


def pytest_collection_modifyitems(items):
    missing = pytest.mark.skip(reason="no GPU that PyTorch can use")
    for item in items:
        if item.get_closest_marker("cuda") and not torch.cuda.is_available():
            item.add_marker(missing)


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    torch.set_num_threads(1)  # tiny tensors: threads only wait for each other


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    os.environ["GANTRAIN_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["HF_HOME"] = str(tmp_path_factory.mktemp("huggingface"))  # its libraries read these when first imported
    os.environ |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


@pytest.fixture(scope="session", autouse=True)
def _composed_quickly():
    with pytest.MonkeyPatch.context() as patch:
        quickly(patch)
        yield


@pytest.fixture(autouse=True)
def bare(request):
    """Runs write no page and no film, pages have no charts, networks are not described: each takes longer than a run.
    So do standard errors, which are of two draws.

    A test that looks at these is marked `whole`, or calls `bare.undo()` before its last runs.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not request.node.get_closest_marker("whole"):
            patch.setattr(fit, "report", lambda *_: None)
            patch.setattr(curves, "draw", lambda kind, drawn, salt: curves.Chart(kind, drawn, ""))
            patch.setattr(networks, "describe", lambda *_: None)
            patch.setattr(scores, "standard_error", lambda a, n, draws, g: standard_error(a, n, min(draws, 2), g))
            for slow in ("film", "compare"):
                patch.setattr(samples, slow, lambda *_: None)
        yield patch


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def gantrain(capfd):
    """Run the program in process: `gantrain("list")` gives its exit code, output and errors."""

    def call(*words):
        capfd.readouterr()
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return call


@pytest.fixture
def quick_workers(monkeypatch):
    """The processes of a run are forked: `test_parallel.py` starts one by its command, as a user's run does."""
    stand_in = SimpleNamespace(Popen=ForkedWorker, TimeoutExpired=subprocess.TimeoutExpired)
    monkeypatch.setattr(processes, "subprocess", stand_in)


@pytest.fixture
def hub(monkeypatch):
    """A stand-in for the Hugging Face Hub; `hub.repositories` has what was pushed."""
    with serving() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture(scope="session")
def _trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert main(["debug=tiny", "callbacks.samples.count=4", f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture
def run(_trained):
    """A run of the default experiment with debug=tiny, in the folder `run`: a copy, so a test may damage it."""
    shutil.copytree(_trained, "run")
    return Path("run")


@pytest.fixture(scope="session")
def _styled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("styled") / "run"
    words = ("experiment=stylegan2_mnist", "debug=tiny", "models.classes=10", "callbacks.samples.count=4")
    assert main([*words, f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture
def styled(_styled):
    """A run of StyleGAN2 with ten classes, in the folder `run`."""
    shutil.copytree(_styled, "run")
    return Path("run")


@pytest.fixture(scope="session")
def _told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("told") / "run"
    words = ("experiment=stackgan_shapes", "debug=tiny", "callbacks.samples=null", "evaluation=none", "logger=none")
    sizes = ("networks.generator_low.size=16", "networks.generator.size=32", "networks.eye.size=8")
    ema = "stages.two.models.ema.ramp_up=null"  # else it is what the last weights are
    assert main([*words, *sizes, ema, f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture
def told(_told):
    """A run that makes pictures of texts, in the folder `run`."""
    shutil.copytree(_told, "run")
    return Path("run")


@pytest.fixture(scope="session")
def _scheduled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scheduled") / "run"
    assert main([*SCHEDULED, f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture
def scheduled(_scheduled):
    """A run of CycleGAN as long as its schedule, in the folder `run`."""
    shutil.copytree(_scheduled, "run")
    return Path("run")


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"
