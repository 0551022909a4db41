"""Every family's networks as ONNX, run by another program in batches and sizes that they were not traced with.

That of latents alone is in tests/cli/test_export.py.
"""

import functools
import json

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn
from torch.onnx._internal.exporter._registration import ONNXRegistry

from gantrain.config.compose import composed
from gantrain.config.stages import stages_of
from gantrain.data.holes import pasted
from gantrain.errors import UserError
from gantrain.inference import exporting
from gantrain.inference.exporting import Drawn, export_network
from gantrain.training.assemble import build_networks, build_stage
from gantrain.training.loading import Trained

FAMILIES = {  # with what its first network takes, and the others
    "styles and classes": (
        "stylegan2_mnist data.size=8 networks.generator.mapping=1 models.classes=10",
        [["batch", 64], ["batch"]],
        [],
    ),
    "voxels": ("gan3d_furniture data.size=16", [["batch", 64]], []),
    "paired": ("srgan_photos networks.generator.blocks=1", [["batch", 3, "height", "width"]], []),
    "unpaired": (
        "cyclegan_small networks.generator_ab.blocks=1 data.load_size=16 data.size=16",
        [["batch", 3, "8 * height", "8 * width"]],
        ["generator_ba"],
    ),
    "ageing": ("agecgan_wiki data.size=32", [["batch", 3, 32, 32]], ["generator"]),
    "holes": ("ccgan_mnist_uni data.size=16", [["batch", 2, 16, 16]], []),
}


@pytest.fixture(scope="module", autouse=True)
def _one_registry():
    """torch's exporter collects its operators anew for every file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(functools.cache(ONNXRegistry.from_torchlib)))
        yield


def untrained(words):
    """A run of these words that was never trained; its averaged weights differ from the last."""
    *_, stage = stages_of(composed([*words, "debug=tiny"], None))
    torch.manual_seed(0)
    module = build_stage(stage, build_networks([stage]))
    for weight in module.networks.parameters():
        nn.init.normal_(weight, std=0.1)  # many begin with weights of 0
    if module.ema is not None:
        module.ema.start(module.networks)
        for copy in module.ema.copies.values():
            for weight in copy.parameters():
                weight.data.mul_(0.9)
    return Trained(module, stage, list(module.networks), 0, 0)


@pytest.mark.parametrize("family", FAMILIES)
def test_onnx_gives_what_the_network_gives(family, tmp_path):
    words, shapes, others = FAMILIES[family]
    trained = untrained(f"experiment={words}".split())
    name, *rest = trained.module.networks_for_use()
    assert rest == others
    facts = export_network(trained, name, False, "onnx", tmp_path / name)
    assert facts == json.loads((tmp_path / name / "export.json").read_text())
    assert [given["shape"] for given in facts["inputs"]] == shapes
    assert facts["opset"] >= 18
    network = trained.module.averaged(name)
    assert facts["weights"] == ("last" if network is trained.module.networks[name] else "averaged")
    inputs = Drawn(trained, name, network).batch(4, seed=9, larger=3)
    session = onnxruntime.InferenceSession(tmp_path / name / "model.onnx")
    assert [given.name for given in session.get_inputs()] == list(inputs) == [g["name"] for g in facts["inputs"]]
    made = session.run(None, {key: value.numpy() for key, value in inputs.items()})[0]
    with torch.no_grad():
        expected = network(**inputs)
    if family == "holes":
        expected = pasted(expected, inputs["cond"])
    np.testing.assert_allclose(made, expected, atol=1e-4 * expected.abs().max())
    for other in others:
        assert export_network(trained, other, False, "torchscript", tmp_path / other)["largest_difference"] == 0


def test_a_file_that_differs_is_not_kept(tmp_path, monkeypatch):
    trained, how = untrained(()), exporting.FORMATS["torchscript"]
    for read, words in (
        (lambda file: lambda inputs: how.read(file)(inputs) * torch.nan, "differs by nan"),
        (lambda file: lambda inputs: how.read(file)({"z": inputs["z"][:, 1:]}), "the file does not take 1 samples"),
        (lambda file: lambda inputs: 1.01 * how.read(file)(inputs), "differs by"),
        (lambda file: lambda inputs: how.read(file)(inputs)[:1], r"of 3 samples the file makes \(1, 1, 16, 16\)"),
    ):
        monkeypatch.setitem(exporting.FORMATS, "torchscript", how._replace(read=read))
        with pytest.raises(UserError, match=f"networks.generator as torchscript: .*{words}"):
            export_network(trained, "generator", False, "torchscript", tmp_path / "generator")
        assert not list(tmp_path.rglob("model.ts*"))


def test_a_network_that_cannot_be_traced_is_refused_in_one_sentence(tmp_path):
    class Undecided(nn.Module):
        def forward(self, z):
            return z if z.sum() > 0 else -z

    trained = untrained(())
    trained.module.networks["generator"] = trained.module.ema.copies["generator"] = Undecided()
    trained.module.latents = lambda n, generator: torch.rand(n, 4, generator=generator)
    trained.module.inputs_of = lambda name, batch: (torch.zeros(2, 4),)
    with pytest.raises(UserError, match=r"networks.generator as torch.export: it cannot be written .*safetensors"):
        export_network(trained, "generator", False, "torch.export", tmp_path / "generator")
    trained.module.inputs_of = lambda name, batch: None
    with pytest.raises(UserError, match=r"networks.generator: .*inputs_of"):
        export_network(trained, "generator", False, "torch.export", tmp_path / "generator")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(exporting.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"--format onnx needs onnxscript and onnxruntime: .*gantrain\[onnx\]"):
        export_network(untrained(()), "generator", False, "onnx", tmp_path)
