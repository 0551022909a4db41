from pathlib import Path

import pytest

from gantrain.cli.compare import mark
from gantrain.run.scores import Record, Result, Score, add_scores

ONE = {"backbone": "tf", "samples": 1000, "networks": "ema", "seed": 0}


def run(name, iteration=100, protocol=None, **values):
    """A folder that looks like a run with these scores, all of them better where lower, standard error 0.5."""
    (Path(name) / ".hydra").mkdir(parents=True, exist_ok=True)
    (Path(name) / ".hydra/config.yaml").write_text("name: toy\n")
    scores = {key: Score(value, "lower", 0.5) for key, value in values.items()}
    add_scores(Path(name), Record("train", iteration, 0, 1.0, Result(scores, {**ONE, **(protocol or {})})))


def test_side_by_side_with_the_best_marked(gantrain):
    run("one", fid=10.0, kid=3.0)
    run("two", fid=20.0, kid=3.5)
    result = gantrain("compare", "one", "two")
    assert result.code == 0, result
    rows = {line.split()[0]: line for line in result.out.splitlines() if line.startswith(("fid", "kid"))}
    assert rows["fid"].split() == ["fid", "10", "+-", "0.5", "*", "20", "+-", "0.5", "lower"]
    assert rows["kid"].split() == ["kid", "3", "+-", "0.5", "*", "3.5", "+-", "0.5", "~", "lower"]


def test_the_newest_counts(gantrain):
    run("one", 100, fid=10.0)
    run("one", 200, fid=50.0)
    run("two", 100, fid=20.0)
    result = gantrain("compare", "one", "two")
    assert "50 +- 0.5" in result.out
    assert "10 +- 0.5" not in result.out
    assert "a: iteration 200; b: iteration 100" in result.out


def test_unlike_ones_are_named_and_left_out(gantrain):
    run("one", fid=10.0)
    run("two", fid=20.0)
    run("three", protocol={"samples": 50}, fid=1.0)
    result = gantrain("compare", "one", "two", "three")
    assert result.code == 0
    assert "c is left out" in result.out
    assert "samples 50 instead of 1000" in result.out
    (row,) = [line for line in result.out.splitlines() if line.startswith("fid")]
    assert row.split() == ["fid", "10", "+-", "0.5", "*", "20", "+-", "0.5", "lower"]


def test_nothing_alike_is_refused(gantrain):
    run("one", fid=10.0)
    run("two", protocol={"backbone": "random"}, fid=20.0)
    result = gantrain("compare", "one", "two")
    assert result.code == 2
    assert "backbone random instead of tf" in result.err


def test_other_networks_and_seeds_are_compared_and_said(gantrain):
    run("one", fid=10.0)
    run("two", protocol={"networks": "raw", "seed": 5}, fid=20.0)
    result = gantrain("compare", "one", "two")
    assert result.code == 0
    assert "networks differ: a ema, b raw" in result.out
    assert "seed differ: a 0, b 5" in result.out


def test_each_shared_protocol_has_its_table(gantrain):
    for name in ("one", "two"):
        run(name, fid=10.0)
        run(name, protocol={"samples": 50}, fid50=20.0)
    result = gantrain("compare", "one", "two")
    assert result.out.count("* best") == 2


@pytest.mark.parametrize(
    ("runs", "names"),
    [(["one"], "two runs"), (["one", "nowhere"], "no run"), (["one", "bare"], "gantrain evaluate bare")],
)
def test_runs_that_cannot_be_compared_are_refused(gantrain, runs, names):
    run("one", fid=10.0)
    Path("bare/.hydra").mkdir(parents=True)
    Path("bare/.hydra/config.yaml").write_text("name: toy\n")
    result = gantrain("compare", *runs)
    assert (result.code, names in result.err) == (2, True), result


def test_the_best_score_has_a_star_and_what_is_within_its_errors_a_tilde():
    best = Score(10.0, "lower", 1.0)
    assert mark(best, best, 2) == " *"
    assert mark(Score(12.0, "lower", 1.0), best, 2) == " ~"
    assert mark(Score(13.0, "lower", 1.0), best, 2) == ""
    assert mark(Score(10.0, "lower"), best, 2) == " *"
    assert mark(best, best, 1) == ""


def test_what_is_no_number_is_not_marked(gantrain):
    run("one", fid=float("nan"), kid=float("nan"))
    run("two", fid=20.0, kid=float("nan"))
    rows = {line.split()[0]: line.split() for line in gantrain("compare", "one", "two").out.splitlines() if line}
    assert rows["fid"] == ["fid", "nan", "+-", "0.5", "20", "+-", "0.5", "*", "lower"]
    assert rows["kid"] == ["kid", "nan", "+-", "0.5", "nan", "+-", "0.5", "lower"]
