"""TorchScript runs only where the user has named it."""

import shutil
import zipfile
from pathlib import Path

import pytest
import torch

from gantrain.config.stages import stages_of
from gantrain.errors import UserError
from gantrain.networks import torchscript
from gantrain.training.loading import trust
from gantrain.training.prepare import trust_new


class Means(torch.nn.Module):
    def __init__(self, factor: float = 1.0):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x.mean((2, 3))


@pytest.fixture
def net(monkeypatch, tmp_path):
    """A file that nobody has named, on a machine of its own."""
    monkeypatch.setenv("GANTRAIN_CACHE", str(tmp_path / "cache"))
    torch.jit.script(Means()).save("net.pt")
    return Path("net.pt")


def test_a_file_is_trusted_by_its_content(net):
    with pytest.raises(UserError, match=r"networks\.face\.path: net\.pt is TorchScript.*plugins=\[net\.pt\]"):
        torchscript.load(net, "networks.face.path")
    torchscript.trust(net)
    assert torchscript.load(net, "key")(torch.ones(1, 3, 2, 2)).tolist() == [[1, 1, 1]]
    shutil.copy(net, "elsewhere.pt")
    torchscript.load(Path("elsewhere.pt"), "key")
    torch.jit.script(Means(2.0)).save("net.pt")
    with pytest.raises(UserError, match="is TorchScript"):
        torchscript.load(net, "key")


def test_a_file_of_a_newer_torch_is_not_called_damaged(net):
    torchscript.trust(rewritten(net, b"torch.mean", b"torch.means_of_tomorrow"))
    with pytest.raises(UserError, match=r"^key: net\.pt comes from another release of torch"):
        torchscript.load(net, "key")


def rewritten(file, old, new):
    """The file, with other words in its code."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data.replace(old, new) if name.endswith(".py") else data)
    return file


def test_a_new_run_names_its_files(net):
    torch.jit.script(Means(3.0)).save("face.torch")
    Path("weights.pth").write_bytes(b"tensors")
    networks = {"face": {"path": "face.torch"}, "other": {"path": "weights.pth", "model": "timm/x"}, "generator": {}}
    trust_new(stages_of({"networks": networks, "evaluation": {"backbone": "net.pt"}}))
    torchscript.load(net, "key")
    torchscript.load(Path("face.torch"), "key")
    with pytest.raises(UserError, match="is TorchScript"):
        torchscript.load(Path("weights.pth"), "key")


def test_a_file_that_is_not_there():
    with pytest.raises(UserError, match=r"^plugins: there is no file missing\.pt$"):
        trust({}, ["missing.pt"])


def test_marks_that_cannot_be_kept(net, monkeypatch):
    Path("file").touch()
    monkeypatch.setenv("GANTRAIN_CACHE", "file")
    with pytest.raises(UserError, match=r"GANTRAIN_CACHE: cannot write file/trusted"):
        torchscript.trust(net)


def test_a_strangers_run_does_not_choose_what_runs(gantrain, net, monkeypatch, tmp_path):
    words = ("debug=tiny", "evaluation=random", "evaluation.backbone=net.pt", "evaluation.resamples=0")
    assert gantrain(*words, "hydra.run.dir=run").code == 0
    assert gantrain("evaluate", "run").code == 0  # one's own run on one's own machine
    for name, command, way in (
        ("one", ("evaluate", "run"), ("--plugins", "net.pt")),
        ("two", ("evaluate", "run"), ("--backbone", "net.pt")),
        ("three", ("resume", "run", "iterations=3"), ("plugins=[net.pt]",)),
    ):
        monkeypatch.setenv("GANTRAIN_CACHE", str(tmp_path / name))  # another machine
        refused = gantrain(*command)
        assert refused.code == 2, refused
        assert "evaluation.backbone: " in refused.err
        assert "net.pt is TorchScript, which is code" in refused.err
        result = gantrain(*command, *way)
        assert result.code == 0, result
    assert gantrain("evaluate", "run").code == 0  # once is enough
