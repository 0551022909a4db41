"""What is drawn, what is trained, and what a difference says; by hand where there are numbers."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gantrain.errors import UserError

SCRIPT = Path(__file__).parents[2] / "scripts" / "judge_augmentation.py"
spec = importlib.util.spec_from_file_location("judge_augmentation", SCRIPT)
judging = importlib.util.module_from_spec(spec)
spec.loader.exec_module(judging)


def labelled(count, seed, swapped=False):
    """Bright pictures of class 1, dark ones of class 0."""
    labels = torch.arange(count) % 2
    noise = torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    return judging.Labelled(0.3 * noise + (labels.float() - 0.5).view(-1, 1, 1, 1), 1 - labels if swapped else labels)


def test_equally_many_of_each_class_by_a_seed():
    real = labelled(40, 0)
    few = judging.drawn(real, 10, 0)
    assert few.labels.bincount().tolist() == [5, 5]
    assert torch.equal(few.pictures, judging.drawn(real, 10, 0).pictures)
    assert not torch.equal(few.pictures, judging.drawn(real, 10, 1).pictures)
    assert judging.drawn(real, 40, 0) is real
    with pytest.raises(UserError, match="--real is 42: of each of 2 classes there are 20 at least"):
        judging.drawn(real, 42, 0)


def test_right_labels_are_learnt_and_wrong_ones_do_harm():
    real, test = labelled(8, 1), labelled(200, 2)
    alone = judging.accuracy(real, None, test, 2, 0, steps=40)
    assert alone > 0.95
    assert judging.accuracy(real, None, test, 2, 0, steps=40) == alone
    assert judging.accuracy(real, labelled(100, 3, swapped=True), test, 2, 0, steps=40) < alone - 0.2


def test_what_a_difference_says_by_hand():
    lines = judging.verdict([(0.80, 0.85), (0.82, 0.86), (0.81, 0.87)])
    assert lines[0] == "real alone: 81.00% +- 0.58%"
    assert lines[2:] == ["difference: 5.00% +- 0.58%", "the generated pictures help"]
    assert judging.verdict([(0.9, 0.8), (0.9, 0.81)])[-1] == "the generated pictures do harm"
    assert judging.verdict([(0.8, 0.9), (0.8, 0.75)])[-1] == "no difference that these seeds can tell"
    assert judging.verdict([(0.8, 0.9)])[-1] == "no difference that these seeds can tell"


def test_from_folders(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    for folder in ("real", "made", "test"):
        for name, low in (("dark", 0), ("light", 150)):
            (tmp_path / folder / name).mkdir(parents=True)
            for i in range(4):
                pixels = rng.integers(low, low + 100, (8, 8), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / folder / name / f"{i}.png")
    monkeypatch.setattr(judging, "STEPS", 2)
    monkeypatch.setattr(sys, "argv", ["judge", "real", "made", "test", "--real", "4", "--size", "8", "--seeds", "2"])
    judging.main()
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "4 real, 8 generated, 8 to judge by"
    assert [line.partition(":")[0] for line in told[1:6]] == [
        "seed 0",
        "seed 1",
        "real alone",
        "with generated",
        "difference",
    ]
    (tmp_path / "made" / "dark").rename(tmp_path / "made" / "black")
    with pytest.raises(SystemExit):
        judging.main()
    assert "the three folders have other classes" in capsys.readouterr().err
