"""What every evaluation shares: scores that are no numbers, the stages and the best that the config names."""

import json
import math

import pytest

from gantrain.errors import UserError
from gantrain.evaluation.base import Evaluation
from gantrain.run.scores import Result, Score


def test_no_value_that_is_not_finite_is_good():
    for better in ("higher", "lower", "near 1"):
        for value in (math.nan, math.inf, -math.inf):
            assert Score(value, better).cost() == math.inf


def test_what_is_not_finite_is_null_in_files():
    scores = {"a": Score(math.nan, "lower", math.inf), "b": Score(2.0, "higher", 0.5)}
    result = Result(scores, {"chance": -math.inf}, {"rows": [{"a": math.inf, "n": 3}]})
    text = json.dumps(result.plain(), allow_nan=False)
    back = Result.of(json.loads(text))
    assert math.isnan(back.scores["a"].value)
    assert (back.scores["a"].error, back.scores["b"]) == (None, Score(2.0, "higher", 0.5))
    assert (back.protocol, back.tables) == ({"chance": None}, {"rows": [{"a": None, "n": 3}]})
    assert back == Result.of(json.loads(text))


def test_stages_are_a_list_of_those_there_are():
    with pytest.raises(ValueError, match=r"stages is \[\], it must be a list"):
        Evaluation(stages=[])
    Evaluation(stages=["gan"]).check_stages(["gan", "encoder"])
    Evaluation().check_stages(["gan"])
    with pytest.raises(UserError, match="no stage 'adversaria'; did you mean 'adversarial'"):
        Evaluation(stages=["pretrain", "adversaria"]).check_stages(["pretrain", "adversarial"])


class Two(Evaluation):
    def names(self, module, data):
        return ["fd80_random", "psnr_y"]


def test_the_best_is_one_that_is_measured():
    for best in (None, "fd", "fd80_random", "psnr_y"):
        Two(best=best).check_best(None, None)
    for best in ("fid", "fd10k_random", "psnr"):
        with pytest.raises(UserError, match=rf"evaluation\.best: '{best}' is not measured; there are fd80_random, ps"):
            Two(best=best).check_best(None, None)
