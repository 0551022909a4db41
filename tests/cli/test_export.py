"""`gantrain export`: files that other programs take."""

import json

import numpy as np
import onnxruntime
import pytest
import torch
from refusals import refused

import gantrain as package
from gantrain.cli.export import FORMATS
from gantrain.inference import exporting
from gantrain.run.exports import load_network


def onnx(folder):
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    assert [(given.name, given.shape) for given in session.get_inputs()] == [
        ("z", ["batch", 64]),
        ("cond", ["batch"]),
    ]
    return lambda z, cond: session.run(None, {"z": z.numpy(), "cond": cond.numpy()})[0]


LOADERS = {
    "onnx": onnx,
    "torch.export": lambda folder: torch.export.load(folder / "model.pt2").module(),
    "torchscript": lambda folder: torch.jit.load(folder / "model.ts"),
    "safetensors": load_network,
}


@pytest.mark.parametrize("kind", LOADERS)
def test_a_run_for_other_programs(kind, gantrain, run):
    chosen = () if kind == "onnx" else ("--format", kind)
    result = gantrain("export", "run", *chosen)
    folder = run / "export" / kind / "generator"
    facts = json.loads((folder / "export.json").read_text())
    assert result.code == 0, result
    assert result.out.startswith(f"{folder / facts['file']} takes z (batch, 64) and cond (batch); differs by at most ")
    assert (facts["iteration"], facts["range"], facts["weights"]) == (2, [-1, 1], "averaged")
    z = torch.randn(5, 64, generator=torch.Generator().manual_seed(3))
    classes = torch.tensor([3, 1, 4, 1, 5])
    expected = package.load("run")["generator"](z, classes)
    np.testing.assert_allclose(LOADERS[kind](folder)(z, classes), expected, atol=1e-6)


def test_raw_weights_elsewhere(gantrain, run):
    words = ("--format", "safetensors", "--network", "generator", "--raw", "--out", "there")
    for _ in range(2):  # again, in its place
        assert gantrain("export", "run", *words).code == 0
    z = torch.ones(1, 64)
    made = load_network("there/generator")(z)
    assert torch.equal(made, package.load("run", raw=True)["generator"](z))
    assert not torch.equal(made, package.load("run")["generator"](z))


def test_what_cannot_be_exported(gantrain, run):
    assert list(exporting.FORMATS) == list(FORMATS)
    refused(gantrain("export", "run", "--network", "generato"), "--network", "did you mean 'generator'?")
    refused(gantrain("export", "nowhere"), "nowhere is no run")
    (run / "file").touch()
    refused(gantrain("export", "run", "--format", "safetensors", "--out", "run/file"), "--out: cannot write")
    refused(gantrain("export", "run", "--format", "safetensors", "--out", "run/networks"), "the run's own files")
