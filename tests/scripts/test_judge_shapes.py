"""The reader of shapes: what it is shown, how its answers are counted, and which runs it refuses."""

import importlib.util
from pathlib import Path

import pytest
import torch

from gantrain.data.captioned_shapes import KINDS
from gantrain.errors import UserError

SCRIPT = Path(__file__).parents[2] / "scripts" / "judge_shapes.py"
spec = importlib.util.spec_from_file_location("judge_shapes", SCRIPT)
judging = importlib.util.module_from_spec(spec)
spec.loader.exec_module(judging)


def test_real_pictures_are_of_all_kinds():
    pictures, kinds = judging.real(each=1)
    assert pictures.shape == (240, 3, 32, 32)
    assert -1 <= pictures.min() < -0.4 < 0.8 < pictures.max() <= 1
    assert sorted(map(tuple, kinds.tolist())) == sorted(KINDS)


def test_each_word_is_counted_for_itself():
    kinds = torch.tensor([[0, 1, 0, 4], [3, 5, 1, 0]])

    def reader(pictures):
        found = ([0, 0], [1, 5], [1, 0], [4, 0])
        return [torch.eye(6)[answers] for answers in found]

    shares = judging.right(reader, None, kinds)
    assert shares == {"shape": 0.5, "colour": 1, "size": 0, "place": 1}


def test_a_run_of_other_pictures_is_refused(run):
    with pytest.raises(UserError, match="makes no pictures of sentences"):
        judging.made(run, KINDS[:1])
