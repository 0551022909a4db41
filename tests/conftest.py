"""Fixtures: quick deterministic runs, in process, in temporary folders."""

import os
import shutil
from pathlib import Path

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # bitwise equality is promised on the CPU
os.environ.pop("GANTRAIN_DATA", None)

import pytest
import torch
from scheduled import SCHEDULED

from gantrain.cli.main import main


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
