import math

import pytest

from gantrain.errors import UserError
from gantrain.evaluation.best import best_of, score_of
from gantrain.run.lines import write_lines
from gantrain.run.scores import Record, Result, Score, add_scores, read_scores, scores_file


def measured(iteration, value, stage="train", protocol=None, better="lower", name="fd1k_dataset"):
    scores = {name: Score(value, better, 0.1), "classes1k_dataset": Score(10 - value, "higher")}
    return Record(stage, iteration, 64 * iteration, 1.5, Result(scores, protocol or {"samples": 1000}))


def test_records_come_back(tmp_path):
    assert read_scores(tmp_path) == []
    for one in (first := measured(10, 3.0), second := measured(20, 2.0)):
        add_scores(tmp_path, one)
    assert read_scores(tmp_path) == [first, second]
    add_scores(tmp_path, again := measured(20, 2.5))  # measured once more: it takes the place
    assert read_scores(tmp_path) == [first, again]


def test_damaged_lines(tmp_path):
    add_scores(tmp_path, measured(5, 1.0))
    file = scores_file(tmp_path)
    whole = file.read_text()
    file.write_text(whole + whole[:40])  # cut off by a crash
    assert len(read_scores(tmp_path)) == 1
    file.write_text('{"stage": 1}\n' + whole)
    with pytest.raises(UserError, match="line 1"):
        read_scores(tmp_path)


def test_the_best_among_those_that_compare():
    records = [measured(10, 3.0), measured(20, 1.0), measured(30, 0.1, protocol={"samples": 5}), measured(40, 0, "b")]
    assert best_of(records, latest := measured(50, 2.0), None).iteration == 20
    assert best_of(records, latest := measured(50, 0.5), None) is latest
    assert best_of(records, measured(50, 2.0), "classes").iteration == 20


def test_the_score_that_is_meant():
    result = measured(1, 3.0).result
    assert score_of(result, None)[0] == "fd1k_dataset"
    assert score_of(result, "classes")[0] == score_of(result, "classes1k_dataset")[0] == "classes1k_dataset"
    with pytest.raises(UserError, match=r"fid.*fd1k_dataset"):
        score_of(result, "fid")


def test_the_better_score_costs_less():
    assert Score(3.0, "lower").cost() < Score(4.0, "lower").cost()
    assert Score(3.0, "higher").cost() > Score(4.0, "higher").cost()
    assert Score(0.9, "near 1").cost() < Score(0.5, "near 1").cost() == pytest.approx(Score(2.0, "near 1").cost())
    assert Score(0.0, "near 1").cost() == float("inf")


def test_a_score_that_is_no_number_is_never_the_best(tmp_path):
    add_scores(tmp_path, first := measured(10, math.nan))
    assert "NaN" not in scores_file(tmp_path).read_text()
    (back,) = read_scores(tmp_path)
    assert math.isnan(back.result.scores["fd1k_dataset"].value)
    assert best_of([back], latest := measured(20, 5.0), None) is latest
    assert best_of([measured(20, 5.0)], first, None).iteration == 20
    endless = measured(20, 0.0, better="near 1")  # as bad as a score can be, but a number
    assert best_of([back], endless, None) is endless


@pytest.mark.parametrize(
    "change",
    [
        {"scores": {"fid": {"value": True, "better": "lower"}}},
        {"scores": {"fid": {"value": 10**400, "better": "lower"}}},
        {"scores": {"fid": {"value": 1.0, "better": "sideways"}}},
        {"scores": {"fid": {"value": 1.0, "better": "lower", "error": "x"}}},
        {"protocol": "x"},
        {"tables": {"a": [3]}},
        {"tables": {"a": 3}},
        {"tables": []},
    ],
)
def test_values_of_other_kinds_are_damage(change, tmp_path):
    whole = Record("train", 1, 8, 0.5, Result({"fid": Score(1.0, "lower")}, {"n": 1})).plain()
    write_lines(scores_file(tmp_path), [whole | change, whole])
    with pytest.raises(UserError, match="line 1 is damaged"):
        read_scores(tmp_path)
