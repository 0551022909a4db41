"""Runs that earlier versions made go on. Those in `fixtures` are of commit a390d1b, at debug=tiny, without pictures."""

import shutil
from pathlib import Path

import pytest
import torch
import yaml
from compare import newest
from pictures_on_disk import write_picture

from gantrain.inference.loaded import load
from gantrain.run.exports import load_network
from gantrain.training.fit import run

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(params=["latent", "unpaired"])
def earlier(request, tmp_path):
    """The name of an earlier run, copied to where the test stands."""
    shutil.copytree(FIXTURES / request.param, tmp_path / request.param)
    return request.param


def test_it_is_resumed_to_what_a_new_run_gives(earlier, gantrain, monkeypatch):
    resumed = gantrain("resume", earlier, "iterations=4")
    assert resumed.code == 0, resumed
    assert newest(earlier)["iteration"] == 4
    config = yaml.safe_load((FIXTURES / earlier / ".hydra/config.yaml").read_text())
    run({**config, "iterations": 4}, Path("new"))
    for name, weights in newest("new")["networks"].items():
        for key, value in weights.items():
            # Not the same bits: the first two iterations were another machine's.
            torch.testing.assert_close(newest(earlier)["networks"][name][key], value, rtol=1e-3, atol=1e-4)


def test_it_is_used(earlier, gantrain):
    write_picture(Path("in.png"), 0, (16, 16))
    words = {"latent": ("sample", "latent", "-n", 3), "unpaired": ("translate", "unpaired", "in.png")}[earlier]
    used = gantrain(*words, "--out", "out")
    assert used.code == 0, used
    assert list(Path("out").iterdir())
    for name, network in load(earlier).items():
        exported = load_network(Path(earlier, "networks", name))
        assert network.state_dict().keys() == exported.state_dict().keys()
    assert gantrain("report", earlier).code == 0


def test_it_stays_small():
    files = [file for earlier in ("latent", "unpaired") for file in (FIXTURES / earlier).rglob("*")]
    assert sum(file.stat().st_size for file in files if file.is_file()) < 150_000
