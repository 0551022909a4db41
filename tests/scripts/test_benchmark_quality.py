"""The table of quality: a row for each contender, also where one fails, and what is said without TensorFlow."""

import argparse
import importlib.util
from pathlib import Path

import torch
from idx import make_mnist

from gantrain.errors import UserError

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmark_quality.py"
spec = importlib.util.spec_from_file_location("benchmark_quality", SCRIPT)
quality = importlib.util.module_from_spec(spec)
spec.loader.exec_module(quality)


def test_a_row_for_each_contender_also_where_one_fails(monkeypatch, tmp_path, capsys):
    def by_run(words, folder, seconds, count):
        if "models=latent" in words:
            raise UserError("ended with exit code 1")
        assert f"data.root={tmp_path}" in words
        return torch.zeros(count, 28, 28, dtype=torch.uint8), "7 iterations, stopped after 9 s"

    monkeypatch.setattr(quality, "by_run", by_run)
    monkeypatch.setattr(quality, "fitted", lambda pictures, labels: quality.Judge(10).eval())
    make_mnist(tmp_path, 24)
    only = ["mnist_fast", "mnist_fast, no classes"]
    quality.table(argparse.Namespace(data=tmp_path, name="MNIST", seconds=9.0, count=12, seed=0, only=only))
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    (_, _, test, fast, without) = rows
    assert fast[2] == "7 iterations, stopped after 9 s"
    assert float(fast[1]) > float(test[1]) >= 0  # black pictures are farther from noise than noise is
    assert without == ["mnist_fast, no classes", "-", "ended with exit code 1"]


def test_without_tensorflow_its_tutorial_is_left_out_and_this_is_said(monkeypatch, capsys):
    monkeypatch.setattr(quality.importlib.util, "find_spec", lambda name: None)
    assert quality.contenders(["keras", "torch"]) == ["torch"]
    assert "pip install tensorflow" in capsys.readouterr().err


def test_the_judge_learns_to_tell_two_kinds_apart():
    kinds = torch.stack([torch.full((28, 28), level, dtype=torch.uint8) for level in (0, 255)])
    labels = torch.arange(16) % 2
    judge = quality.fitted(kinds[labels], labels, steps=20)
    assert judge(kinds)[1].argmax(1).tolist() == [0, 1]
