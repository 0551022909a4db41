"""Objects from config nodes: what is trusted, what is refused and how."""

import pytest
import torch
from torch import nn

from gantrain.config.build import build
from gantrain.errors import UserError

LINEAR = {"_target_": "torch.nn.Linear", "in_features": 2, "out_features": 3}


SHAPE = {"z_dim": 4, "width": 4, "size": 16, "channels": 1}
DATA = {"dataset": {"_target_": "gantrain.data.images.Digits"}, "size": 16, "channels": 1, "batch_size": 4}


def test_builds_with_extra_and_nested_nodes():
    node = {"_target_": "gantrain.models.players.Player", "networks": ["g"], "optimizer": None}
    node["plays_when"] = {"_target_": "gantrain.models.players.PlaysWhen", "statistic": "accuracy", "below": 0.8}
    player = build(node, "models.players.g")
    assert player.plays_when(0.7)
    assert isinstance(build(LINEAR, "networks.g", nn.Module, bias=False), nn.Linear)


def test_partial_waits_for_the_rest():
    adam = build({"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.5}, "optimizer", torch.optim.Optimizer)
    assert adam([nn.Parameter(torch.zeros(1))]).param_groups[0]["lr"] == 0.5


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "subprocess.Popen",
        "torch.hub.load",
        "torch.load",
        "gantrain_evil.Thing",
        "torch.nn.functional.relu",  # a function, not a class
        "builtins.eval",
        "torchvision.datasets.MNIST",
        "torchvision.io.VideoReader",
        "pytorch_lightning.Trainer",
        "pytorch_lightning.utilities.parsing.AttributeDict",
        "",
        3,
    ],
)
def test_foreign_targets_and_functions_are_refused(target):
    with pytest.raises(UserError, match=r"networks\.g\._target_"):
        build({"_target_": target}, "networks.g")


def test_a_class_of_another_kind_is_refused():
    with pytest.raises(UserError, match="is no Module"):
        build({"_target_": "torch.optim.Adam", "lr": 1}, "networks.g", nn.Module)


@pytest.mark.parametrize(
    ("node", "says"),
    [
        ({**LINEAR, "in_feature": 2}, "no such option; did you mean 'in_features'"),
        ({"_target_": "torch.nn.Linear", "in_features": 2}, "missing a required argument: 'out_features'"),
        ({"_target_": "torch.nn.Linaer"}, "did you mean 'Linear'"),
        ({"_target_": "gantrain.losses.auxiliary.X"}, "there are Auxiliary, ClassLabels, Codes$"),
        ({"_target_": "torch.nn.nothing.Linear"}, "no module 'torch.nn.nothing'"),
        ({"in_features": 2}, "expected a node with _target_"),
        ({"_target_": "gantrain.models.loop.ema.EMA", "networks": [], "half_life_images": -1}, "it must be positive"),
        ({"_target_": "gantrain.networks.dcgan.Generator", **SHAPE, "output_stride": 0}, r"refuses.*by zero"),
        ({"_target_": "gantrain.data.GANDataModule", **DATA, "holdout": float("inf")}, r"refuses.*infinity"),
        ({"_target_": "gantrain.networks.face.FaceEmbedder", "model": 5}, "model is '5', it must be torchvision/NAME"),
        ({"_target_": "gantrain.networks.face.FaceEmbedder", "path": 5}, "path is 5, it must be the name of a file"),
    ],
)
def test_mistakes_name_the_key_and_the_way_out(node, says):
    with pytest.raises(UserError, match=says) as raised:
        build(node, "networks.g")
    assert str(raised.value).startswith("networks.g")


def test_a_class_that_does_not_take_a_node_never_has_it_built(tmp_path):
    writes = {"_target_": "pytorch_lightning.loggers.CSVLogger", "save_dir": str(tmp_path / "made"), "name": "x"}
    built = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pytorch_lightning.loggers.CSVLogger.__init__", lambda self, save_dir, name: built.append(self))
        with pytest.raises(UserError, match=r"networks\.g\.hidden: Linear has no such option"):
            build({**LINEAR, "hidden": writes}, "networks.g")
    assert built == []


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("[enforce fail at alloc_cpu.cpp:9] you tried ...")])
def test_memory_that_is_not_enough(monkeypatch, error):
    def fail(self, in_features, out_features):
        raise error

    monkeypatch.setattr("torch.nn.Linear.__init__", fail)
    with pytest.raises(UserError, match=r"^networks\.g: not enough memory for this Linear; make its sizes smaller$"):
        build(LINEAR, "networks.g")


def test_options_of_a_parent_class_are_known_through_kwargs():
    node = {"_target_": "gantrain.models.latent.LatentGAN", "microbatchs": 2}
    with pytest.raises(UserError, match="did you mean 'microbatches'"):
        build(node, "models")
