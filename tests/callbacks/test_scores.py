"""Measuring never changes training, and what it leaves."""

import json
from pathlib import Path

import pytest
from compare import differences, newest

from gantrain.cli.main import main
from gantrain.evaluation.best import score_of
from gantrain.run.checkpoint import read_checkpoint
from gantrain.run.folder import Run
from gantrain.run.scores import read_scores, scores_file

TRAIN = ("debug=tiny", "iterations=6", "callbacks.metrics.every=1", "callbacks.checkpoint.keep=1")
WORDS = (*TRAIN, "evaluation=random", "evaluation.every=2", "evaluation.resamples=2")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A run with scores, once; tests only read it."""
    folder = tmp_path_factory.mktemp("measured") / "run"
    assert main([*WORDS, f"hydra.run.dir={folder}"]) == 0
    return folder


def test_measuring_changes_no_bit_of_training(gantrain, measured):
    assert gantrain(*TRAIN, "evaluation=none", "hydra.run.dir=not").code == 0
    assert differences(newest(measured), newest("not")) == []
    assert not scores_file("not").exists()


@pytest.mark.whole
def test_scores_are_recorded_and_told(gantrain, tmp_path):
    result = gantrain(*WORDS, "hydra.run.dir=run", "logger=csv")
    assert result.code == 0, result
    assert [(r.stage, r.iteration, r.images_seen) for r in read_scores("run")] == [
        ("train", 2, 16),
        ("train", 4, 32),
        ("train", 6, 48),
    ]
    assert "2/6  fd80_random" in result.out
    assert "scores   fd80_random" in result.out
    assert "scores/fd80_random" in (tmp_path / "run/csv/metrics.csv").read_text()
    assert "fd80_random" in (tmp_path / "run/report.html").read_text()


@pytest.mark.parametrize("best", ["fd", "density80_random"])
def test_the_best_checkpoint_is_kept(gantrain, best):
    assert gantrain(*WORDS, f"evaluation.best={best}", "hydra.run.dir=run").code == 0
    run = Run("run")
    at = min(read_scores("run"), key=lambda r: score_of(r.result, best)[1].cost()).iteration
    assert read_checkpoint(run.checkpoints("train") / "best.ckpt")["iteration"] == at
    assert len(run.checkpoint_files("train")) == 1  # the best is not one of the newest that are kept
    assert gantrain("sample", "run", "--best", "-n", 2, "--out", "best.png").code == 0


def test_a_resumed_run_has_the_scores_of_one_without_a_stop(gantrain, measured):
    assert gantrain(*WORDS, "iterations=3", "hydra.run.dir=stopped").code == 0
    assert [r.iteration for r in read_scores("stopped")] == [2, 3]  # its end is measured as well
    assert gantrain("resume", "stopped", "iterations=6").code == 0
    stopped = {r.iteration: r.result for r in read_scores("stopped")}
    straight = {r.iteration: r.result for r in read_scores(measured)}
    assert {i: stopped[i] for i in straight} == straight


def test_a_crash_loses_what_came_after_the_checkpoint(gantrain):
    assert gantrain(*WORDS, "iterations=4", "callbacks.checkpoint.keep=5", "hydra.run.dir=run").code == 0
    run = Run("run")
    for file in run.checkpoint_files("train"):
        if int(file.stem) > 2:
            file.unlink()
    (run.checkpoints("train") / "finished.json").unlink()
    before = read_scores("run")
    assert gantrain("resume", "run").code == 0
    assert [(r.iteration, r.result) for r in read_scores("run")] == [(r.iteration, r.result) for r in before]


def test_evaluation_may_be_chosen_when_a_run_is_resumed(gantrain):
    assert gantrain("debug=tiny", "evaluation=none", "hydra.run.dir=run").code == 0
    assert gantrain("resume", "run", "evaluation=random", "evaluation.samples=20", "iterations=3").code == 0
    assert read_scores("run")[-1].result.protocol["samples"] == 20
    result = gantrain("resume", "run", "evaluation=randm", "iterations=4")
    assert (result.code, "there is no 'randm'" in result.err) == (2, True)


def test_mistakes_come_before_training(gantrain, tmp_path):
    for word, names in (
        ("evaluation.backbone=nothing", "evaluation.backbone is 'nothing'"),
        ("evaluation.sampels=3", "did you mean 'samples'"),
        ("evaluation.best=fidd", "evaluation.best"),
        ("evaluation.best=is", "evaluation.best: 'is' is not measured"),
        ("+evaluation.stages=gan", "stages is 'gan', it must be a list"),
    ):
        result = gantrain(*WORDS, word, "hydra.run.dir=run")
        assert result.code == 2, word
        assert names in result.err
        assert not (tmp_path / "run").exists()


def test_a_sweep_returns_and_lists_the_score(gantrain, tmp_path):
    result = gantrain("-m", *WORDS, "seed=0,1", "hydra.sweep.dir=sweep")
    assert result.code == 0, result
    assert "fd80_random" in (tmp_path / "sweep/sweep.csv").read_text().splitlines()[0]
    assert "fd80_random" in result.out


def test_the_objective_is_the_best_score(measured):
    from gantrain.training.outcome import objective_of

    run = Run(measured)
    values = [r.result.scores["fd80_random"].value for r in read_scores(measured)]
    assert objective_of(run, run.config()) == min(values)
    higher = {"evaluation": {"best": "density"}}
    densities = [r.result.scores["density80_random"].value for r in read_scores(measured)]
    assert objective_of(run, higher) == -max(densities)
    assert objective_of(run, {"evaluation": None}) == 0


ODD = """
import math

from gantrain.evaluation.base import Evaluation
from gantrain.run.scores import Result, Score


class Odd(Evaluation):
    made = 0

    def __init__(self, **base):
        super().__init__(**base)
        Odd.made += 1

    def names(self, module, data):
        return ["odd"]

    def measure(self, module, data, raw=False):
        return Result({"odd": Score(math.nan if module.iteration in (1, 4) else 1.0, "lower")}, {})
"""
EXPERIMENT = """
# @package _global_
# A score that is no number, now and then.
defaults: [dcgan_digits]
plugins: [odd]
evaluation: {_target_: odd.Odd, every: 1}
"""


@pytest.mark.whole
def test_a_score_that_is_no_number_is_kept_but_never_the_best(gantrain, tmp_path, monkeypatch):
    Path("mine/experiment").mkdir(parents=True)
    Path("mine/experiment/odd.yaml").write_text(EXPERIMENT)
    Path("odd.py").write_text(ODD)
    monkeypatch.syspath_prepend(tmp_path)
    words = ("--config-dir", "mine", "experiment=odd", "debug=tiny", "evaluation=none", "hydra.run.dir=run")
    assert gantrain(*words, "iterations=1").code == 0
    assert not Path("run/checkpoints/train/best.ckpt").exists()
    result = gantrain("resume", "run", "iterations=4", "plugins=[odd]")
    assert result.code == 0, result
    assert "odd nan" in result.out
    assert read_checkpoint(Path("run/checkpoints/train/best.ckpt"))["iteration"] == 2
    lines = [json.loads(line, parse_constant=pytest.fail) for line in Path("run/scores.jsonl").read_text().splitlines()]
    assert [line["scores"]["odd"]["value"] for line in lines] == [None, 1.0, 1.0, None]
    assert Path("run/report.html").is_file()
    import odd

    assert odd.Odd.made == 2  # once for each command
