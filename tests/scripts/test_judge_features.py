"""The SVM test: averaging by hand, and that it tells separable from random."""

import importlib.util
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).parents[2] / "scripts" / "judge_features.py"
spec = importlib.util.spec_from_file_location("judge_features", SCRIPT)
judging = importlib.util.module_from_spec(spec)
spec.loader.exec_module(judging)


def test_averaged_by_hand():
    volume = np.zeros((14, 14, 14), bool)  # padded by one to 16
    volume[0, 0, 0] = volume[1:3, 1:3, 1:3] = True
    small = judging.averaged(volume).reshape(8, 8, 8)
    assert small[0, 0, 0] == 1 / 8  # the corner, beside seven of padding
    assert small[1, 1, 1] == 1
    assert small.sum() == 9 / 8


def test_features_that_tell_and_features_that_do_not(capsys):
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    names = np.array([f"{'abc'[label]}/x_{i // 3:03d}_1.mat" for i, label in enumerate(labels)])
    train = np.arange(120) < 90
    classes = np.array(["a", "b", "c"])
    judging.judge(np.eye(3)[labels] + 0.1 * rng.normal(size=(120, 3)), labels, names, train, classes)
    assert "test split: 100.0%, mean over classes 100.0%" in capsys.readouterr().out
    judging.judge(rng.normal(size=(120, 3)), labels, names, train, classes)
    assert "100.0%" not in capsys.readouterr().out
