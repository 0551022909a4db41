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


def samples():
    """Labels, names of objects, which are of the train split, and names of classes."""
    labels = np.arange(120) % 3
    names = np.array([f"{'abc'[label]}/x_{i // 3:03d}_1.mat" for i, label in enumerate(labels)])
    return labels, names, np.arange(120) < 90, np.array(["a", "b", "c"])


def test_features_that_tell_and_features_that_do_not(capsys):
    rng = np.random.default_rng(0)
    labels = samples()[0]
    judging.judge({"telling": np.eye(3)[labels] + 0.1 * rng.normal(size=(120, 3))}, *samples())
    assert "test split: 100.0%, mean over classes 100.0%" in capsys.readouterr().out
    judging.judge({"noise": rng.normal(size=(120, 3))}, *samples())
    assert "100.0%" not in capsys.readouterr().out


def test_the_train_split_alone_chooses_among_features(capsys):
    """Features that tell on the test split and nowhere else are not chosen."""
    rng = np.random.default_rng(0)
    labels, _, train, _ = samples()
    wrong = np.where(train, labels, (labels + 1) % 3)
    kinds = {
        "of the test split": np.where(train[:, None], rng.normal(size=(120, 3)), np.eye(3)[labels]),
        "of the train split": np.eye(3)[wrong] + 0.1 * rng.normal(size=(120, 3)),
    }
    judging.judge(kinds, *samples())
    assert "test split by of the train split: 0.0%" in capsys.readouterr().out
