"""A run's directory."""

import pytest
import torch

from gantrain.errors import UserError
from gantrain.loading import load_network
from gantrain.runs import Run


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


def test_the_averaged_weights_of_an_earlier_stage_are_not_taken_for_the_last_ones(tmp_path):
    def network(value):
        layer = torch.nn.Linear(1, 1)
        torch.nn.init.constant_(layer.weight, value)
        return {"generator": layer}

    nodes = {"generator": {"_target_": "torch.nn.Linear", "in_features": 1, "out_features": 1}}
    Run(tmp_path).export(network(1), network(2), nodes)
    assert load_network(tmp_path / "networks" / "generator").weight.item() == 2
    Run(tmp_path).export(network(3), {}, nodes)
    assert load_network(tmp_path / "networks" / "generator").weight.item() == 3
