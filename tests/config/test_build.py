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
        ({"in_features": 2}, r"expected a node with _target_, found options \(in_features\) without a class"),
        ({"_target_": "gantrain.losses.adversarial.Hinge", "flip": 0.1}, r"g\.flip: Hinge has no such option"),
        ({"_target_": "gantrain.losses.penalties.X"}, "there are DRAGAN, .*, WGANDiv$"),
        ({"_target_": "gantrain.models.loop.ema.EMA", "networks": [], "half_life_images": -1}, "it must be positive"),
        ({"_target_": "gantrain.networks.dcgan.Generator", **SHAPE, "output_stride": 0}, r"refuses.*by zero"),
        (
            {"_target_": "gantrain.data.GANDataModule", **DATA, "holdout": float("inf")},
            "holdout is inf, it must be",
        ),
        ({"_target_": "gantrain.networks.face.FaceEmbedder", "model": 5}, "model is 5, it must be a text or null"),
        ({"_target_": "gantrain.networks.face.FaceEmbedder", "path": 5}, "path is 5, it must be a text or null"),
    ],
)
def test_mistakes_name_the_key_and_the_way_out(node, says):
    with pytest.raises(UserError, match=says) as raised:
        build(node, "networks.g")
    assert str(raised.value).startswith("networks.g")


@pytest.mark.parametrize(
    ("target", "options", "says"),
    [
        ("data.GANDataModule", {"channels": 2}, "channels is 2, it must be one of 1, 3"),
        ("data.GANDataModule", {"range": ["a", 1]}, r"range is \['a', 1\], it must be a list of 2 numbers"),
        ("data.GANDataModule", {"range": [0, 0.5, 1]}, "range is .* it must be a list of 2 numbers"),
        ("data.GANDataModule", {"range": 5}, "range is 5, it must be a list of 2 numbers"),
        ("data.GANDataModule", {"augment": 5}, "augment is 5, it must be keys, each with true or false or null"),
        ("data.GANDataModule", {"augment": {"flip": "maybe"}}, "augment is {'flip': 'maybe'}, it must be keys"),
        ("data.GANDataModule", {"upsize": "maybe"}, "upsize is 'maybe', it must be true or false"),
        ("data.GANDataModule", {"holdout": "x"}, "holdout is 'x', it must be a number"),
        ("data.GANDataModule", {"balance": True}, "balance is True, it must be a number"),
        ("data.GANDataModule", {"on_error": "go on"}, "on_error is 'go on', it must be one of stop, skip"),
        ("data.images.IdxImages", {"name": "MNITS"}, "name is 'MNITS', it must be one of MNIST, FashionMNIST"),
        ("data.folder.ImageFolder", {"crop": "middle"}, "crop is 'middle', it must be one of centre, none"),
        ("data.folder.ImageFolder", {"background": [1, 2]}, "background is .* a list of 3 whole numbers"),
        ("data.pairs.Pairs", {"condition": "depth"}, "condition is 'depth', it must be one of beside, grey, edges"),
        ("data.unpaired.Unpaired", {"classes": 3}, "classes is 3, it must be 2"),
        ("data.voxels.VoxelDataModule", {"parts": "some"}, "parts is 'some', it must be one of all, largest"),
        ("data.low_high.LowHigh", {"on_error": 1}, "on_error is 1, it must be one of stop, skip"),  # the parent's
        ("losses.adversarial.LeastSquares", {"combine": "median"}, "combine is .* one of sum, mean"),
        ("losses.adversarial.Minimax", {"real": "foo"}, "real is 'foo', it must be a number or a list of 2 numbers"),
        (
            "losses.adversarial.Minimax",
            {"real": [0.9]},
            r"real is \[0\.9\], it must be a number or a list of 2 numbers",
        ),
        ("losses.auxiliary.Codes", {"continuous_weight": "x"}, "continuous_weight is 'x', it must be a number"),
        ("losses.auxiliary.ClassLabels", {"classes": None}, "classes is None, it must be a whole number"),
        (
            "losses.penalties.R1",
            {"weight": "lots"},
            "weight is 'lots', it must be a number or a node with the _target_ of",
        ),
        ("losses.euclidean.Euclidean", {"weight": "lots"}, "weight is 'lots', it must be a number"),
        ("losses.reconstruction.PixelL1", {"weight": float("nan")}, "weight is nan, it must be a number"),
        ("losses.matching.FeatureMatching", {"layer": 1.0}, r"layer is 1\.0, it must be a whole number"),
        ("losses.penalties.R1", {"every": 1.5}, r"every is 1\.5, it must be a whole number"),
        ("networks.srgan.Generator", {"scale": 3}, "scale is 3, it must be one of 2, 4, 8"),
        ("networks.srgan.Generator", {"norm": "layer"}, "norm is 'layer', it must be one of before, after, none"),
        ("networks.unet.Generator", {"norm": "layer"}, "norm is 'layer', it must be one of batch, instance, none"),
        ("networks.mlp.Generator", {"init": "glorrot"}, "init is 'glorrot', it must be one of torch, glorot, dcgan"),
        ("networks.dcgan.Generator", {"blocks": 3}, "blocks is 3, it must be a list of lists or null"),
        ("evaluation.base.Evaluation", {"stages": "gan"}, "stages is 'gan', it must be a list of texts or null"),
        ("evaluation.base.Evaluation", {"best": 3}, "best is 3, it must be a text or null"),
        ("evaluation.samples.SampleScores", {"split": "val"}, "split is 'val', it must be one of train, test"),
    ],
)
def test_options_are_held_against_their_annotations(target, options, says):
    with pytest.raises(UserError, match=rf"^networks\.g\.{says}"):
        build({"_target_": f"gantrain.{target}", **options}, "networks.g")


def test_annotations_of_others_are_not_ours_to_hold():
    norm = build({"_target_": "torch.nn.BatchNorm2d", "num_features": 3, "momentum": None}, "networks.g")
    assert norm.momentum is None


def test_numbers_may_be_whole_and_lists_tuples():
    node = {"_target_": "gantrain.data.GANDataModule", **DATA, "range": (0, 1), "holdout": 0, "augment": None}
    assert build(node, "data").range == (0, 1)


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


def test_all_options_that_a_class_does_not_have_are_named_at_once():
    with pytest.raises(UserError, match=r"leave them out with ~g\.width ~g\.stem"):
        build({**LINEAR, "width": 2, "stem": 3}, "g")
