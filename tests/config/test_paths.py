"""The keys that hold folders and files."""

from pathlib import Path

import pytest
import torch

from gantrain.config.finalise import make_absolute
from gantrain.config.paths import held, place_of
from gantrain.run.folder import Run


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("data.root", "folder"),
        ("stages.gan.data.cache_dir", "folder"),
        ("init_from", "folder"),
        ("hydra.run.dir", "folder"),
        ("losses.content.weights", "file"),
        ("stages.a-b.networks.face.path", "file"),
        ("evaluation.backbone", "file"),
        ("data.dataset.table", "name"),
    ],
)
def test_keys_that_are_places(key, kind):
    assert place_of(key).kind == kind


@pytest.mark.parametrize(
    "key", ["data", "data.roots", "xdata.root", "losses.a.b.weights", "networks.path", "dataxroot"]
)
def test_keys_that_are_none(key):
    assert place_of(key) is None


def test_what_a_config_holds_is_found_in_the_root_and_in_stages():
    face, data = {"path": "a.pt"}, {"root": "there", "dataset": {}}
    config = {"init_from": None, "evaluation": None, "stages": {"gan": {"data": data, "networks": {"face": face}}}}
    found = {whole: (node, key) for _, node, key, whole in held(config)}
    assert found.keys() == {"init_from", "stages.gan.data.root", "stages.gan.networks.face.path"}
    assert found["stages.gan.networks.face.path"] == (face, "path")


@pytest.mark.parametrize(
    ("key", "value", "is_path"),
    [
        ("data.root", "nowhere", True),
        ("data.root", None, False),
        ("init_from", "hf://user/name", False),
        ("data.dataset.table", "net.pt", False),
        ("networks.face.path", "net.pt", True),
        ("networks.face.path", "nowhere.pt", False),
        ("networks.face.path", "untrained", False),
        ("evaluation.backbone", "net.pt", True),
        ("evaluation.backbone", "random", False),
        ("evaluation.weights", "random", True),
    ],
)
def test_words_are_no_paths(key, value, is_path):
    for name in ("net.pt", "random", "untrained"):  # files may be called like our words
        Path(name).touch()
    assert place_of(key).is_path(value) is is_path


def test_the_files_of_an_evaluation_are_found_from_elsewhere(gantrain, run, tmp_path, monkeypatch):
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten())
    torch.jit.script(network).save("net.pt")
    words = ("evaluation=random", "evaluation.backbone=net.pt", "evaluation.samples=8", "evaluation.real=8")
    resumed = gantrain("resume", "run", "iterations=3", *words)
    assert resumed.code == 0, resumed
    assert Run("run").config()["evaluation"]["backbone"] == str(tmp_path / "net.pt")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    resumed = gantrain("resume", tmp_path / "run", "iterations=4")
    assert resumed.code == 0, resumed


def test_a_run_remembers_where_its_files_are(tmp_path):
    Path("w.pth").touch()
    config = {
        "data": {"cache_dir": None},
        "networks": {"face": {"path": "w.pth"}, "other": {"path": "untrained"}},
        "losses": {"content": {"weights": "nowhere.pth"}},
        "evaluation": {"weights": "w.pth", "backbone": "resnet50"},
        "init_from": "run",
    }
    make_absolute(config)
    here = str(tmp_path)
    assert config == {
        "data": {"cache_dir": None, "root": f"{here}/data"},
        "networks": {"face": {"path": f"{here}/w.pth"}, "other": {"path": "untrained"}},
        "losses": {"content": {"weights": "nowhere.pth"}},
        "evaluation": {"weights": f"{here}/w.pth", "backbone": "resnet50"},
        "init_from": f"{here}/run",
    }
