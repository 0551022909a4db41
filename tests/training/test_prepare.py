"""A run's parts from its config."""

from pathlib import Path

import pytest
import torch
from pictures_on_disk import make_pictures
from wiki import write_archive

from gantrain.config.stages import Stage
from gantrain.training.prepare import length_of


class Stopped:
    """A run of one stage or two, whose first stage's newest checkpoint is of iteration 40, after 320 images."""

    def __init__(self, *stages, epochs=10, finished=None):
        self.stages, self.epochs, self.ended = stages, epochs, finished

    def config(self):
        length = {"epochs": self.epochs, "iterations": None}
        return {"stages": dict.fromkeys(self.stages, length)} if self.stages else length

    def newest(self, stage):
        return {"iteration": 40, "images_seen": 320}

    def finished(self, stage):
        return self.ended


def test_epochs_count_images_in_batches_of_any_size():
    ten = Stage("train", "", {"epochs": 10, "iterations": None})
    assert length_of(ten, images=64, batch=8, run=None) == 80
    assert length_of(ten, images=63, batch=8, run=None) == 79  # 630 images: the last batch begins a new epoch
    assert length_of(ten, images=64, batch=8, run=Stopped()) == 80
    assert length_of(ten, images=64, batch=16, run=Stopped()) == 60  # the other 320 images in half as many
    five = Stage("train", "", {"epochs": 5, "iterations": None})
    assert length_of(five, images=64, batch=16, run=Stopped()) == 40
    assert length_of(Stage("train", "", {"iterations": 7}), images=64, batch=16, run=Stopped()) == 7


def test_the_last_of_larger_batches_may_have_held_more_than_the_epochs():
    one = Stage("train", "", {"epochs": 1, "iterations": None})
    assert length_of(one, images=300, batch=4, run=Stopped(epochs=1, finished=40)) == 40


def test_a_stage_that_others_began_from_stays_as_long_as_it_is():
    first, last = (Stage(name, name, {"epochs": 10, "iterations": None}) for name in "ab")
    ended = Stopped("a", "b", finished=40)
    assert length_of(first, images=64, batch=8, run=ended) == 40  # there were 32 images when it ended
    assert length_of(last, images=64, batch=8, run=ended) == 80
    assert length_of(first, images=64, batch=8, run=Stopped("a", "b")) == 80
    longer = Stage("a", "a", {"epochs": 20, "iterations": None})
    assert length_of(longer, images=64, batch=8, run=ended) == 160  # which is refused, for it was asked for


@pytest.mark.parametrize(
    ("experiment", "says"),
    [("srgan_photos", "losses.content.weights=FILE"), ("agecgan_wiki", "networks.face.path=FILE")],
)
def test_files_of_weights_are_missed_before_any_data_are_opened(gantrain, tmp_path, monkeypatch, experiment, says):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    make_pictures(write_archive(tmp_path / "data", [1950, 1980, 1990]), 3, size=(300, 300))
    narrow = [f"networks.{name}.width=2" for name in ("generator", "discriminator")]
    refused = gantrain(f"experiment={experiment}", "data.root=data", "data.cache_dir=cache", *narrow)
    assert refused.code == 2, refused
    assert says in refused.err
    assert len(refused.err.strip().splitlines()) == 1, refused.err
    assert not Path("cache").exists()


def test_a_run_longer_than_its_schedule_is_refused(gantrain):
    key = "models.players.generators.schedule"
    words = ("experiment=cyclegan_small", "debug=tiny", "callbacks.samples.count=1", "callbacks.networks=null")
    words += (f"{key}.start=1", f"{key}.end=2", "data.batch_size=1")
    refused = gantrain(*words, "iterations=3", "hydra.run.dir=run")
    assert (refused.code, f"{key}.end is 2" in refused.err, f"set {key}.end=3" in refused.err) == (2, True, True)
    ended = gantrain(*words, "hydra.run.dir=run")
    assert (ended.code, "longer " in ended.out) == (0, False), ended
    refused = gantrain("resume", "run", "iterations=3")
    assert (refused.code, "start a new run with init_from=run" in refused.err) == (2, True), refused
    page = Path("run/report.html").read_text()
    for said in ("Train twice as long", "Measure scores", "The same latents"):
        assert said not in page
    assert "side by side: a, what it becomes, b, what it becomes" in page
    for verb, options in (("features", ("run", "--out", "f.npz")), ("evaluate", ())):
        refused = gantrain(verb, "run", *options)
        assert (refused.code, "no features are taken" in refused.err or "gantrain translate" in refused.err) == (
            2,
            True,
        ), refused
    assert gantrain("evaluate", "run", "evaluation=random").err.count("evaluation=pairs where") == 1
