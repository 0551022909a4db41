"""A run's directory."""

import pytest

from gantrain.errors import UserError
from gantrain.run.folder import Run


def test_of_two_runs_that_begin_in_the_same_second_each_has_its_directory(tmp_path):
    first = Run.create(tmp_path / "12-00-00", {"seed": 0}, numbered=True)
    second = Run.create(tmp_path / "12-00-00", {"seed": 1}, numbered=True)
    third = Run.create(tmp_path / "12-00-00", {"seed": 2}, numbered=True)
    assert [run.folder.name for run in (first, second, third)] == ["12-00-00", "12-00-00_2", "12-00-00_3"]
    assert [run.config_file.read_text() for run in (first, second, third)] == ["seed: 0\n", "seed: 1\n", "seed: 2\n"]
    with pytest.raises(UserError, match="already holds a run"):
        Run.create(tmp_path / "12-00-00", {"seed": 3})


@pytest.mark.parametrize("text", ["xx", "5", "{}", '{"iterations": "2"}', '{"iterations": true}', "\x00"])
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
            Run(self.folder)._claim()

    monkeypatch.setattr(Run, "refuse_if_taken", looks)
    with pytest.raises(UserError, match="already holds a run"):
        Run.create(tmp_path / "run", {})
