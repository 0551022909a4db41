"""A run's directory."""

import json

import pytest

from gantrain.errors import UserError
from gantrain.run.folder import Run
from gantrain.run.metrics import read_records
from gantrain.run.scores import Record, Result, add_scores, read_scores


def test_of_two_runs_that_begin_in_the_same_second_each_has_its_directory(tmp_path):
    first = Run.create(tmp_path / "12-00-00", {"seed": 0}, numbered=True)
    second = Run.create(tmp_path / "12-00-00", {"seed": 1}, numbered=True)
    third = Run.create(tmp_path / "12-00-00", {"seed": 2}, numbered=True)
    assert [run.folder.name for run in (first, second, third)] == ["12-00-00", "12-00-00_2", "12-00-00_3"]
    assert [run.config_file.read_text() for run in (first, second, third)] == ["seed: 0\n", "seed: 1\n", "seed: 2\n"]
    with pytest.raises(UserError, match="already holds a run"):
        Run.create(tmp_path / "12-00-00", {"seed": 3})


@pytest.mark.parametrize(
    "text", ["xx", "5", "{}", '{"iterations": "2"}', '{"iterations": true}', "\x00", "[" * 100_000]
)
def test_a_damaged_marker_of_the_end_is_none(tmp_path, text):
    run = Run(tmp_path)
    run.checkpoints("train").mkdir(parents=True)
    run.mark_finished("train", 7)
    assert run.finished("train") == 7
    (run.checkpoints("train") / "finished.json").write_text(text)
    assert run.finished("train") is None


def test_a_directory_is_claimed_once(tmp_path, monkeypatch):
    looked, refuse = [], Run.refuse_if_taken

    def looks(self):
        """Another process makes its run between this one's look and its own claim."""
        refuse(self)
        if not looked:
            looked.append(self)
            Run.create(self.folder, {})

    monkeypatch.setattr(Run, "refuse_if_taken", looks)
    with pytest.raises(UserError, match="already holds a run"):
        Run.create(tmp_path / "run", {})


def test_a_resumed_run_records_and_measures_anew_what_came_later(tmp_path):
    run, places = Run(tmp_path), [("a", 5), ("b", 7), ("b", 9), ("c", 1)]
    run.rewind("b", 7, ["a"])
    assert not list(tmp_path.iterdir())
    facts = {"images_seen": 1, "seconds": 0.5, "values": {}}
    lines = [json.dumps({"stage": stage, "iteration": iteration, **facts}) for stage, iteration in places]
    run.metrics_file.write_text("\n".join([*lines, '{"stage": "b']))
    for stage, iteration in places:
        add_scores(tmp_path, Record(stage, iteration, 1, 0.5, Result({}, {})))
    run.rewind("b", 7, ["a"])
    assert [(r["stage"], r["iteration"]) for r in read_records(run.metrics_file)] == places[:2]
    assert [(r.stage, r.iteration) for r in read_scores(tmp_path)] == places[:2]
    assert len(run.metrics_file.read_text().splitlines()) == 2
