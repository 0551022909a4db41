"""The classes of a conditional run: how many, what they are called, and in which order; for ever the run's own."""

import shutil

import pytest
from pictures_on_disk import make_pictures
from refusals import refused

from gantrain.run.folder import Run

TINY = (
    "experiment=cgan_mnist",
    "data=folder",
    "data.size=28",
    "data.channels=1",
    "data.upsize=true",
    "data.batch_size=4",
    "iterations=1",
    "networks.generator.width=4",
    "networks.discriminator.width=4",
    "evaluation=none",
    "callbacks.samples.count=4",
    "callbacks.networks=null",
)


def folders(root, *names):
    for name in names:
        make_pictures(root / name, 3)
    return f"data.root={root}"


@pytest.mark.parametrize("classes", [2, 4, 10])
def test_as_many_as_there_are_folders(gantrain, tmp_path, classes):
    where = folders(tmp_path / "d", "cat", "dog", "fox")
    result = gantrain(*TINY, where, f"data.classes={classes}")
    refused(result, f"data.classes is {classes}", "3 classes (cat, dog, fox)", "data.classes=3")


def test_a_picture_in_the_way_is_named(gantrain, tmp_path):
    where = folders(tmp_path / "d", "cat", "dog", "dog/deep")
    refused(gantrain(*TINY, where, "data.classes=2"), "'dog/deep/000.png' does not lie right in one of several folders")


def test_names_belong_to_the_run(gantrain, tmp_path):
    root = tmp_path / "d"
    where = folders(root, "1", "2", "10")
    assert gantrain(*TINY, where, "data.classes=3", "hydra.run.dir=run").code == 0
    assert Run("run").config()["data"]["class_names"] == ["1", "2", "10"]
    shutil.rmtree(root / "2")
    folders(root, "7")  # as many as before
    refused(gantrain("resume", "run", "iterations=2"), "data.class_names", "1, 2, 10", "1, 7, 10")
    result = gantrain(*TINY, where, "data.classes=3", "init_from=run", "hydra.run.dir=second")
    refused(result, "init_from", "1, 2, 10", "1, 7, 10")
    shutil.rmtree(root)  # use needs no data
    for word in ("1", "2", "10"):
        assert gantrain("sample", "run", "--class", word, "-n", 2, "--out", f"{word}.png").code == 0
    refused(gantrain("sample", "run", "--class", "0"), "there is no class '0'; there are 1, 2, 10")
