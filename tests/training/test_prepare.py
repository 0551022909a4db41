"""A run's parts from its config."""

import shutil
from pathlib import Path

import pytest
import torch
from compare import newest
from pictures_on_disk import make_pictures
from refusals import refused
from scheduled import SCHEDULED
from wiki import write_archive

import gantrain as package
from gantrain.config.stages import Stage
from gantrain.run.exports import load_network
from gantrain.run.folder import Run
from gantrain.training.prepare import length_of

TINY = ("debug=tiny", "callbacks.samples.count=4")


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


def test_a_run_longer_than_its_schedule_is_refused(gantrain, scheduled):
    result = gantrain(*SCHEDULED, "iterations=3", "hydra.run.dir=second")
    refused(result, "models.players.generators.schedule.end is 2", "set models.players.generators.schedule.end=3")
    refused(gantrain("resume", "run", "iterations=3"), "start a new run with init_from=run")


def test_init_from_starts_from_another_runs_networks(gantrain, run):
    assert gantrain(*TINY, "init_from=run", "hydra.run.dir=second", "iterations=1").code == 0
    # its first grid shows the other run's last one
    assert Path("second/samples/00000000.png").read_bytes() == Path("run/samples/00000002.png").read_bytes()
    slow = ("models.players.discriminator.optimizer.lr=0", "losses.penalties=null", "iterations=1")
    assert gantrain(*TINY, "init_from=run", *slow, "hydra.run.dir=third").code == 0
    result = gantrain(*TINY, "init_from=run", "networks.generator.width=7", "hydra.run.dir=runs/fourth")
    refused(result, "init_from", "networks.generator", "layers.0.weight", "experiment=cgan_digits")
    result = gantrain(*TINY, "init_from=run", "experiment=dcgan_digits", "hydra.run.dir=runs/fifth")
    refused(result, "init_from", "train that run's experiment, experiment=cgan_digits, with its options")
    theirs, ours = newest("run")["networks"]["discriminator"], newest("third")["networks"]["discriminator"]
    assert all(torch.equal(theirs[key], ours[key]) for key in theirs)  # the discriminator as well
    shutil.rmtree("run")
    assert gantrain("resume", "second", "iterations=2").code == 0  # it has its own weights by now


def test_tied_and_normalised_weights_of_ones_own(gantrain, tmp_path, monkeypatch):
    (tmp_path / "tied.py").write_text(
        "from torch.nn.utils import spectral_norm\n\n"
        "from gantrain.networks.dcgan import Generator\n\n\n"
        "class Tied(Generator):\n"
        "    def __init__(self, **options):\n"
        "        super().__init__(**options)\n"
        "        spectral_norm(self.layers[0])\n"
        "        self.again = self.layers\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    words = (*TINY, "plugins=[tied]", "networks.generator._target_=tied.Tied", "hydra.run.dir=run")
    assert gantrain(*words).code == 0
    whole = package.load("run", plugins=["tied"])["generator"]
    exported = load_network("run/networks/generator", plugins=["tied"])
    assert torch.equal(whole(torch.ones(1, 64)), exported(torch.ones(1, 64)))
    # and another run starts from it, wherever it is resumed
    assert gantrain(*words[:-1], "init_from=run", "hydra.run.dir=second").code == 0
    assert Run("second").config()["init_from"] == str(tmp_path / "run")
    refused(gantrain(*TINY, "init_from=run", "hydra.run.dir=third"), "plugins", "tied")


@pytest.mark.parametrize("lost", ["folder", "files"])
def test_an_earlier_stage_that_is_gone_is_not_trained_again(gantrain, lost):
    tiny = ("experiment=srgan_photos", "debug=tiny", "callbacks.samples.count=1", "callbacks.networks=null")
    lengths = ("stages.pretrain.iterations=1", "stages.adversarial.iterations=1")
    assert gantrain(*tiny, *lengths, "hydra.run.dir=run").code == 0
    folder = Path("run/checkpoints/pretrain")
    shutil.rmtree(folder) if lost == "folder" else [file.unlink() for file in folder.glob("*.ckpt")]
    result = gantrain("resume", "run", "stages.adversarial.iterations=2")
    refused(result, "run/checkpoints/pretrain: its checkpoints are gone", "init_from=run")
    assert not list(folder.glob("*.ckpt"))


def test_init_from_says_what_begins_untrained(gantrain, run):
    shutil.rmtree("run/checkpoints")  # what is left is its generator
    result = gantrain(*TINY, "init_from=run", "hydra.run.dir=second", "iterations=1")
    assert (result.code, "run has no discriminator: begun untrained" in result.err) == (0, True), result
