"""A search: what it proposes, what it ends early, how it goes on."""

import json
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from forked import forked

from gantrain.callbacks.scores import Scores
from gantrain.errors import UserError
from gantrain.evaluation.samples import SampleScores
from gantrain.run.folder import Run
from gantrain.run.provenance import read_starts
from gantrain.run.scores import Result, Score

optuna = pytest.importorskip("optuna")
search = pytest.importorskip("gantrain.training.search")
WORDS = ("experiment=gan_mnist_keras", "debug=tiny", "logger=none", "callbacks.samples=null", "evaluation=random")
RATE = "models.players.generator.optimizer.lr"
SPACE = f"{RATE}: {{low: 1e-4, high: 1e-2, log: true}}\nlosses: [non_saturating, least_squares]\n"


@pytest.fixture
def quick_scores(monkeypatch):
    """The score of a run is its rate: the lower the better."""

    def measure(self, module, data):
        rate = module.optimizers()[1].param_groups[0]["lr"]
        return Result({"fd2_random": Score(float(rate), "lower")}, {"samples": 2})

    monkeypatch.setattr(SampleScores, "measure", measure)


@pytest.fixture(autouse=True)
def space():
    Path("space.yaml").write_text(SPACE)


def tune(gantrain, *words):
    return gantrain("tune", *WORDS, "iterations=4", "evaluation.every=2", "--space", "space.yaml", *words)


def table():
    lines = Path("tune/gan_mnist_keras/trials.csv").read_text().splitlines()
    return [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]


def test_a_search_finds_the_low_rate_prunes_and_goes_on(gantrain, quick_scores):
    first = tune(gantrain, "--trials", 2)
    assert first.code == 0, first
    assert len(table()) == 2
    again = tune(gantrain, "--trials", 8)
    assert again.code == 0, again
    rows = table()
    assert sorted(int(row["trial"]) for row in rows) == list(range(8))
    done = [float(row["score"]) for row in rows if row["outcome"] == "done"]
    assert done == sorted(done)
    assert len(done) >= 4
    pruned = [row for row in rows if row["outcome"] == "pruned"]
    assert pruned
    assert {row["iterations"] for row in pruned} == {"2"}
    assert len({row[RATE] for row in rows}) == 8  # a search that goes on proposes nothing twice
    assert "*" in again.out.split("trial  score")[1]
    assert Path("tune/gan_mnist_keras/tune.png").stat().st_size > 1000
    assert json.loads(Path("tune/gan_mnist_keras/trials/0000/scores.jsonl").read_text().splitlines()[0])


def test_the_table_shows_the_score_that_is_searched_for(gantrain, monkeypatch):
    """The best on the way, also where a trial ends with a worse one."""

    def measure(self, module, data):
        rate = float(module.optimizers()[1].param_groups[0]["lr"])
        return Result({"fd2_random": Score(rate if module.iteration < 4 else 1 / rate, "lower")}, {"samples": 2})

    monkeypatch.setattr(SampleScores, "measure", measure)
    assert tune(gantrain, "--trials", 3, "--no-prune").code == 0
    assert [float(row["score"]) for row in table()] == sorted(float(row[RATE]) for row in table())


def test_a_search_of_other_words_is_another_search(gantrain, quick_scores):
    assert tune(gantrain, "--trials", 1).code == 0
    other = tune(gantrain, "seed=5", "--trials", 2)
    assert other.code == 2
    assert "was begun with other words" in other.err


def test_a_stopped_trial_is_gone_on_with(gantrain, quick_scores):
    words = ("tune", *WORDS, "evaluation.every=1000000", "--space", "space.yaml", "--trials", "1", "iterations=1000000")
    process = forked(*words, "callbacks.progress.seconds=0")
    process.when(lambda: "/1,000,000" in process.said())
    process.send(signal.SIGTERM)
    assert process.ended() == 143
    (run,) = Path("tune/gan_mnist_keras/trials").glob("*")
    Path("output.txt").unlink()
    process = forked(*words, "callbacks.progress.seconds=0")
    process.when(lambda: "/1,000,000" in process.said())
    os.kill(process.pid, signal.SIGTERM)
    assert process.ended() == 143
    assert list(Path("tune/gan_mnist_keras/trials").glob("*")) == [run]


def test_two_processes_share_a_search_and_what_a_third_has_left(quick_scores):
    """Each trial is begun by one of them, and as many as are asked for."""
    words = ("tune", *WORDS, "evaluation.every=2", "--space", "space.yaml", "--no-prune", "--trials", "7")
    first = forked(*words, "iterations=40", "callbacks.progress.seconds=0")
    trials = Path("tune/gan_mnist_keras/trials")
    first.when(lambda: (trials / "0001/provenance.jsonl").exists())
    first.send(signal.SIGKILL)
    first.ended()
    left = [folder.name for folder in trials.iterdir() if Run(folder).reached("") < 40]
    two = [forked(*words, "iterations=40", "callbacks.progress.seconds=0") for _ in range(2)]
    assert [process.ended() for process in two] == [0, 0], two[0].said()
    rows = table()
    assert sorted(int(row["trial"]) for row in rows) == list(range(7))
    assert {row["outcome"] for row in rows} == {"done"}
    folders = sorted(trials.iterdir())
    assert [folder.name for folder in folders] == [f"{number:04}" for number in range(7)]
    assert [len(read_starts(folder)) for folder in folders] == [1 + (folder.name in left) for folder in folders]
    study = optuna.load_study(study_name=None, storage="sqlite:///tune/gan_mnist_keras/study.db")
    assert {trial.user_attrs["worker"].split()[1] for trial in study.trials[1:]} == {str(one.pid) for one in two}


def test_a_process_waits_while_another_writes_the_study(monkeypatch):
    """As long as we say, and not the 5 seconds that Python takes: on a slow disk these were too few."""
    monkeypatch.setattr(search, "PATIENCE", 0.1)
    study = search.Search("search", Path("shared"), (), {}, trials=1).open()
    writer = sqlite3.connect("shared/study.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(optuna.exceptions.StorageInternalError):
        study.set_user_attr("key", "value")
    writer.close()
    assert time.monotonic() - began < 3
    study.set_user_attr("key", "value")


def test_what_is_wrong_is_said_before_any_trial(gantrain):
    for text, sentence in (
        ("networks.generator.widht: [4, 8]", "widht"),
        ("losses: [least_squares, nope]", "losses: there is no 'nope'"),
    ):
        Path("space.yaml").write_text(text)
        refused = tune(gantrain)
        assert refused.code == 2
        assert sentence in refused.err
    Path("space.yaml").write_text(SPACE)
    refused = gantrain("tune", *WORDS, "evaluation=none", "--space", "space.yaml")
    assert "a search needs a score" in refused.err
    assert not Path("tune").exists()


def test_a_mistake_of_the_first_trial_ends_the_search(gantrain, monkeypatch):
    def broken(*_):
        raise UserError("evaluation: nothing to measure")

    monkeypatch.setattr(Scores, "measure", broken)
    refused = tune(gantrain, "--trials", 3)
    assert refused.code == 2
    assert "nothing to measure" in refused.err
