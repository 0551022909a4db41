"""Trained networks back from a run, also from a damaged one."""

import shutil
from pathlib import Path

import torch
import yaml
from refusals import refused

import gantrain as package
from gantrain.training.loading import load_trained


def test_three_lines_of_python(run):
    generator = package.load("run")["generator"]
    images = generator(torch.randn(2, generator.z_dim))
    assert images.shape == (2, 1, 16, 16)
    assert not generator.training
    raw = package.load("run", raw=True)["generator"]
    assert not torch.equal(raw(torch.ones(1, 64)), generator(torch.ones(1, 64)))


def test_loading_a_run_leaves_the_callers_generators_alone(run):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    package.load("run")
    assert torch.equal(torch.rand(1), expected)


def test_use_of_what_is_no_run(gantrain, tmp_path):
    (tmp_path / "empty").mkdir()
    for verb in ("sample", "resume"):
        refused(gantrain(verb, "empty"), "empty is no run")
        refused(gantrain(verb, "nowhere"), "nowhere is no run")


def test_a_run_without_a_checkpoint(gantrain, run):
    shutil.rmtree(run / "checkpoints")
    shutil.rmtree(run / "networks")
    refused(gantrain("sample", "run"), "no checkpoint yet", "gantrain resume run")


def test_exported_networks_serve_where_the_checkpoints_are_gone(gantrain, run):
    assert gantrain("sample", "run", "-n", 4, "--out", "a").code == 0
    trained = load_trained(run)
    shutil.rmtree(run / "checkpoints")
    left = load_trained(run)
    assert (left.iteration, left.images_seen) == (trained.iteration, trained.images_seen) != (0, 0)
    assert gantrain("sample", "run", "-n", 4, "--out", "b").code == 0
    for name in ("0.png", "3.png"):
        assert Path("a", name).read_bytes() == Path("b", name).read_bytes()


def test_a_config_edited_into_another_network(gantrain, run):
    config = yaml.safe_load((run / ".hydra/config.yaml").read_text())
    config["networks"]["generator"]["width"] = 16
    (run / ".hydra/config.yaml").write_text(yaml.safe_dump(config))
    refused(gantrain("sample", "run"), "config.yaml", "layers.0.weight", "undo the edit")
    refused(gantrain("resume", "run", "iterations=5"), "config.yaml", "layers.0.weight", "undo the edit")


def test_a_damaged_config(gantrain, run):
    for text in ("{", "[1, 2]", "seed: 0\n", "\0", "seed: 2020-13-45\n"):
        (run / ".hydra/config.yaml").write_text(text)
        refused(gantrain("sample", "run"), "config.yaml")
        refused(gantrain("resume", "run"), "config.yaml")
