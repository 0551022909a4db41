"""What goes to the Hub of a run, and that nothing but a run comes back."""

import os
import sys
from pathlib import Path

import pytest
import torch
import yaml
from refusals import refused

import gantrain as package
from gantrain.errors import UserError
from gantrain.run import hub as module
from gantrain.run.folder import Run
from gantrain.run.hub import fetched, files_of, push, without_places

SHARED = {  # no checkpoint: the run was pushed without
    ".hydra/config.yaml",
    "metrics.jsonl",
    "scores.jsonl",
    "checkpoints/train/finished.json",
    "networks/generator/config.json",
    "networks/generator/ema.safetensors",
    "networks/generator/weights.safetensors",
}


def files_in(folder):
    return {file.relative_to(folder).as_posix() for file in Path(folder).rglob("*") if file.is_file()}


@pytest.fixture
def pushed(hub, run):
    push(Run("run"), "me/digits", "# card", checkpoints=False, private=False)
    return hub.repositories["me/digits"]


def test_what_goes_there(hub, run, pushed):
    (sample,) = (name for name in pushed if name.startswith("samples/"))
    assert set(pushed) == {*SHARED, "README.md", sample}
    assert pushed["README.md"] == b"# card"
    assert sample == "samples/00000002.png"
    config = yaml.safe_load(pushed[".hydra/config.yaml"])
    assert config == {**Run("run").config(), "data": {**Run("run").config()["data"], "root": None}}
    assert not [name for name, data in pushed.items() if os.fsencode(Path.cwd()) in data]
    (run / "networks/generator/ema.safetensors").unlink()
    hub.repositories["me/digits"]["notes.txt"] = b"mine"
    push(Run("run"), "me/digits", "# card", checkpoints=True, private=True)
    assert "checkpoints/train/00000002.ckpt" in pushed
    assert "networks/generator/ema.safetensors" not in pushed  # as in the run
    assert "notes.txt" in pushed


def test_no_folder_of_the_machine_goes_along():
    config = {
        "init_from": "/d/run",
        "data": {"root": "/d", "dataset": {"table": "wiki.mat", "other": "/d/b"}},
        "stages": {"gan": {"data": {"root": "/d", "cache_dir": "/c"}, "networks": {"face": {"path": "/n/face.pt"}}}},
        "losses": {"content": {"weights": "vgg.pth"}},
        "plugins": ["mine"],
    }
    assert without_places(config) == {
        "init_from": None,
        "data": {"root": None, "dataset": {"table": "wiki.mat", "other": "b"}},
        "stages": {"gan": {"data": {"root": None, "cache_dir": None}, "networks": {"face": {"path": "face.pt"}}}},
        "losses": {"content": {"weights": "vgg.pth"}},
        "plugins": ["mine"],
    }


def test_it_is_loaded_from_there_and_kept(hub, run, pushed):
    z = torch.randn(2, 64)
    loaded = package.load("hf://me/digits")["generator"]
    assert torch.equal(loaded(z), package.load("run")["generator"](z))
    raw = package.load("hf://me/digits", raw=True)["generator"]
    assert torch.equal(raw(z), package.load("run", raw=True)["generator"](z))
    folder = fetched("hf://me/digits")
    assert files_in(folder) == SHARED
    hub.asked.clear()
    assert fetched(f"hf://me/digits@{folder.name}") == folder
    assert not hub.asked  # a commit never changes
    pushed["metrics.jsonl"] += b"\n"
    assert fetched("hf://me/digits@main") != folder
    assert sorted(folder.parent.iterdir()) == sorted({folder, fetched("hf://me/digits")})  # and nothing half done


def test_nothing_but_a_run_comes_back(hub, pushed):
    hostile = (
        "../evil.py",
        "networks/../../evil",
        "networks/generator/../../../x/weights.safetensors",
        "/etc/evil",
        "networks/generator/weights.pt",
        "networks/generator/weights.safetensors.pkl",
        "hubconf.py",
        "checkpoints/train/00000002.ckpt",
        ".hydra/hydra.yaml",
        "networks/a\\..\\b/config.json",
        "plugin.py",
    )
    pushed |= dict.fromkeys(hostile, b"evil")
    folder = fetched("hf://me/digits")
    assert files_in(folder) == SHARED
    assert not [path for path in hub.asked for name in hostile if "/resolve/" in path and path.endswith(name)]
    assert not list(folder.parents[2].rglob("*evil*"))


@pytest.mark.parametrize(
    "address",
    [
        "hf://digits",
        "hf://me/../x",
        "hf://me/digits@",
        "hf://me/digits@../x",
        "hf:///x",
        "hf://me/digits/more",
        "hf://.me/digits",
    ],
)
def test_an_address_that_names_no_run_is_refused_unasked(address, hub):
    with pytest.raises(UserError, match=r"is no run on the Hub; write hf://user/name"):
        fetched(address)
    assert not hub.asked


def test_what_is_not_there(hub, pushed, monkeypatch):
    for address, words in (
        ("hf://me/nobody", "hf://me/nobody: there is no such repository"),
        ("hf://me/digits@old", "hf://me/digits: it has no such revision"),
    ):
        with pytest.raises(UserError, match=words):
            fetched(address)
    with monkeypatch.context() as patch:
        patch.setattr(module, "MOST_FILES", 3)
        with pytest.raises(UserError, match="is too large for a run: 7 files"):
            fetched("hf://me/digits")
    del pushed[".hydra/config.yaml"]
    with pytest.raises(UserError, match="hf://me/digits holds no run"):
        fetched("hf://me/digits")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match=r"huggingface_hub is missing; .*gantrain\[hf\]"):
        fetched("hf://me/digits")


def test_a_strangers_config_is_no_more_trusted_than_any(hub, pushed):
    config = yaml.safe_load(pushed[".hydra/config.yaml"])
    config["networks"]["generator"] = {"_target_": "os.system", "command": "true"}
    pushed[".hydra/config.yaml"] = yaml.safe_dump(config).encode()
    with pytest.raises(UserError, match=r"networks.generator._target_: 'os.system' is outside gantrain"):
        package.load("hf://me/digits")
    pushed[".hydra/config.yaml"] = b"!!python/object:os.system {}"
    with pytest.raises(UserError, match="damaged"):
        package.load("hf://me/digits")


def test_a_run_begins_from_one_there(gantrain, hub, pushed):
    words = ("debug=tiny", "callbacks.samples=null", "logger=none", "init_from=hf://me/digits")
    result = gantrain(*words, "hydra.run.dir=second")
    assert result.code == 0, result
    assert "starts from  hf://me/digits" in result.out
    assert Run("second").config()["init_from"] == "hf://me/digits"
    refused(gantrain(*words[:-1], "init_from=hf://me/nobody", "hydra.run.dir=third"), "hf://me/nobody")


def test_a_run_without_networks_is_no_use(run):
    (run / "networks/generator/weights.safetensors").unlink()
    with pytest.raises(UserError, match=r"run has no networks/ yet; `gantrain resume run`"):
        files_of(Run("run"), False)
