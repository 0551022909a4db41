"""`gantrain arithmetic`: sums of mean latents."""

import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from toys import Shades

from gantrain.cli.work.arithmetic import Operand, neighbours, result
from gantrain.inference.latents import save_latents


@pytest.fixture
def latents(gantrain, run):
    """Those of some samples of `run`."""
    assert gantrain("sample", "run", "-n", 6, "--out", "samples", "--save-latents", "z.safetensors").code == 0


def refused(result, *words):
    assert result.code == 2, result
    assert len(result.err.strip().splitlines()) == 1, result.err
    for word in words:
        assert word in result.err


def test_means_are_added_with_their_signs():
    a, b = torch.tensor([[1.0, 2.0], [3.0, 6.0]]), torch.tensor([[10.0, 1.0]])
    assert result([Operand("+", "a", a), Operand("-", "b", b), Operand("+", "b", b)]).tolist() == [2.0, 4.0]
    assert result([Operand("-", "a", a)]).tolist() == [-2.0, -4.0]


def test_neighbours_lie_within_a_quarter():
    z = torch.randn(100)
    around = neighbours(z, torch.Generator().manual_seed(0))
    assert around.shape == (9, 100)
    assert torch.equal(around[4], z)
    others = (around - z)[[0, 1, 2, 3, 5, 6, 7, 8]].abs()
    assert others.max() <= 0.25 + 1e-6
    assert (others.max(1).values > 0.2).all()


def test_the_options_keep_their_order(gantrain, latents, monkeypatch):
    seen = []
    module = sys.modules["gantrain.cli.work.arithmetic"]
    monkeypatch.setattr(module, "result", lambda operands: seen.extend(operands) or result(operands))
    words = ("--plus", "z.safetensors:0,1,2", "--minus", "z.safetensors:3", "--plus", "z.safetensors")
    assert gantrain("arithmetic", "run", *words).out.strip() == "run/arithmetic.png"
    assert [(o.sign, len(o.z)) for o in seen] == [("+", 3), ("-", 1), ("+", 6)]
    sheet = Image.open("run/arithmetic.png")
    assert sheet.width > sheet.height > 3 * 90
    for out in ("a.png", "b.png"):
        assert gantrain("arithmetic", "run", *words, "--out", out).code == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()


def test_sum_and_operands_are_of_one_class(gantrain, run, monkeypatch):
    family = Shades()
    family.stated_in(run)
    monkeypatch.setattr("gantrain.cli.work.arithmetic.latent_family", lambda *_: (family, family))
    save_latents(torch.randn(3, 4), Path("few.safetensors"))
    words = ("arithmetic", "run", "--plus", "few.safetensors", "--minus", "few.safetensors:1")
    assert gantrain(*words).code == 0
    assert family.cond.tolist() == [0] * (4 + 2 + 9)
    assert gantrain(*words, "--class", "bee").code == 0
    assert family.cond.tolist() == [1] * 15


def test_mistakes(gantrain, latents):
    refused(gantrain("arithmetic", "run"), "--plus", "--minus")
    refused(gantrain("arithmetic", "run", "--plus", "z.safetensors", "--out", "a.gif"), "--out", ".png")
    refused(gantrain("arithmetic", "run", "--plus", "z.safetensors:9"), "has rows up to 5")
    refused(gantrain("arithmetic", "run", "--plus", "nowhere"), "there is no file nowhere")
    refused(gantrain("arithmetic", "run", "--plus", "z.safetensors:-1"), "'-1' names no rows", "z.safetensors:0,3,5")
    refused(gantrain("arithmetic", "run", "--plus", "z.safetensors", "--seed", 10**30), "--seed")
    weights = "run/networks/generator/weights.safetensors"
    refused(gantrain("arithmetic", "run", "--plus", weights), "instead of z alone")
    assert len(gantrain("arithmetic", "run", "--plus", weights).err) < 300
    save_latents(torch.zeros(2, 7), Path("other.safetensors"))
    refused(gantrain("arithmetic", "run", "--minus", "other.safetensors"), "have 7 numbers", "takes 64")
