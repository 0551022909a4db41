"""`gantrain features`: shapes, labels, splits, refusals."""

import shutil

import numpy as np
import pytest
from idx import make_mnist
from pictures_on_disk import make_pictures
from volumes_on_disk import make_shapenet, write_volume

from gantrain.cli.main import main

SHAPENET = ("--layout", "shapenet")
TINY = ("debug=tiny", "callbacks.samples.count=2", "logger=none")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert main(["experiment=gan3d_furniture", *TINY, f"hydra.run.dir={folder}", "data.size=8"]) == 0
    return folder


@pytest.fixture
def volumes(trained, tmp_path):
    """A run on made-up volumes, and a folder of others."""
    shutil.copytree(trained, "run")
    return make_shapenet(tmp_path / "volumes")


def test_of_volumes_all_classes_and_both_splits(gantrain, volumes):
    result = gantrain("features", "run", volumes, *SHAPENET, "--out", "new/f.npz")
    assert result.code == 0, result
    assert "train 16, test 8" in result.out
    with np.load("new/f.npz", allow_pickle=False) as found:
        assert found["features"].shape == (24, 64)  # at 8^3 one hidden layer: 8 channels, pooled to 2^3
        assert found["features"].dtype == np.float32
        assert found["labels"].tolist() == [0] * 8 + [1] * 8 + [0] * 4 + [1] * 4
        assert found["class_names"].tolist() == ["chair", "table"]
        assert found["names"][0] == "chair/30/train/chair_000000000_1.mat"
        assert found["splits"].tolist() == ["train"] * 16 + ["test"] * 8
        assert np.isfinite(found["features"]).all()
        assert found["features"].std(0).max() > 0


def test_layers_and_pool(gantrain, volumes):
    assert gantrain("features", "run", volumes, *SHAPENET, "--out", "f.npz", "--layers", "1", "--pool", "3").code == 0
    assert np.load("f.npz")["features"].shape == (24, 8 * 27)
    wrong = gantrain("features", "run", volumes, *SHAPENET, "--out", "f.npz", "--layers", "1,2")
    assert (wrong.code, "--layers: this discriminator has the layers 1 to 1" in wrong.err) == (2, True)


def test_a_split_that_is_named_comes_alone(gantrain, volumes):
    assert gantrain("features", "run", volumes, *SHAPENET, "--out", "f.npz", "--split", "test").code == 0
    with np.load("f.npz") as found:
        assert found["splits"].tolist() == ["test"] * 8


def test_what_is_refused(gantrain, volumes, tmp_path):
    for words, text in (
        (("run", volumes, *SHAPENET, "--out", "f.csv"), "must end in .npz"),
        (("run", volumes, *SHAPENET, "--out", "f.npz", "--pool", "0"), "--pool is 0"),
        (("run", volumes, *SHAPENET, "--out", "f.npz", "--network", "critic"), "no trained 'critic'; there are"),
        (("run", tmp_path / "none", *SHAPENET, "--out", "f.npz"), "data.root"),
        (("run", volumes, "--out", "f.npz"), "debug=tiny, on made-up data"),
        (("run", volumes, "--layout", "shapnet", "--out", "f.npz"), "did you mean 'shapenet'"),
        (("none", volumes, "--out", "f.npz"), "none is no run"),
    ):
        result = gantrain("features", *words)
        assert result.code == 2, result
        assert text in result.err
    (tmp_path / "file").write_text("")
    assert "cannot write file/f.npz" in gantrain("features", "run", volumes, *SHAPENET, "--out", "file/f.npz").err
    write_volume(volumes / "chair" / "30" / "train" / "chair_1.npy", np.zeros((2, 2), np.uint8))
    assert "chair_1.npy': its shape is 2x2" in gantrain("features", "run", volumes, *SHAPENET, "--out", "f.npz").err


def test_of_pictures(gantrain, tmp_path):
    make_mnist(tmp_path / "mnist", 32)
    narrow = ("networks.generator.width=4", "networks.discriminator.width=4", "data.batch_size=8")
    words = ("experiment=dcgan_mnist", "data.root=mnist", "iterations=1", "logger=none", *narrow)
    assert gantrain(*words, "hydra.run.dir=run").code == 0
    assert gantrain("features", "run", "mnist", "--out", "f.npz").code == 0
    with np.load("f.npz") as found:
        assert found["features"].shape == (64, 8 * 16)  # the second layer: 8 channels, 4 by 4
        assert found["labels"].tolist() == (2 * [i % 10 for i in range(32)])
        assert "class_names" not in found
        assert found["names"][0] == "picture 0"


def test_photos_are_covered_by_crops_of_both_splits(gantrain, tmp_path):
    make_pictures(tmp_path / "photos", 4, size=(70, 36))
    words = (
        "data.root=photos",
        "data.size=32",
        "data.batch_size=2",
        "data.holdout=1",
        "evaluation=none",
        "logger=none",
    )
    narrow = ("networks.generator.width=4", "networks.generator.blocks=1", "networks.discriminator.width=4")
    short = ("stages.pretrain.iterations=1", "stages.adversarial.iterations=1", "losses/content=pixel")
    trained = gantrain("experiment=srgan_photos", *words, *narrow, *short, "hydra.run.dir=run")
    assert trained.code == 0, trained
    result = gantrain("features", "run", "photos", "--out", "f.npz")
    assert result.code == 0, result
    with np.load("f.npz") as found:
        assert len(found["features"]) == len(found["names"]) == 3 * 2 + 2  # two crops cover a photo
        assert found["splits"].tolist() == ["train"] * 6 + ["test"] * 2
        assert len(set(found["names"][:6])) == 3
        assert np.isfinite(found["features"]).all()


def test_a_run_between_two_folders_has_no_features(gantrain, scheduled):
    result = gantrain("features", "run", "run", "--out", "f.npz")
    assert (result.code, "no features are taken" in result.err) == (2, True), result


def test_data_that_are_not_read_are_no_data(gantrain, run, tmp_path):
    make_pictures(tmp_path / "others", 4)
    result = gantrain("features", "run", "others", "--layout", "digits", "--out", "f.npz")
    assert (result.code, "nothing would be read of others; name them as `own`" in result.err) == (2, True), result
    result = gantrain("features", "run", "own", "--layout", "digits", "--out", "f.npz")
    assert result.code == 0, result
    assert len(np.load("f.npz")["labels"]) == 1797


def test_a_discriminator_of_packs_gives_a_row_for_each_picture(gantrain, tmp_path):
    assert gantrain(*TINY, "models=latent", "networks.discriminator.pack=2", "hydra.run.dir=packs").code == 0
    make_mnist(tmp_path, count=5)
    result = gantrain("features", "packs", tmp_path, "--layout", "mnist", "--split", "train", "--out", "f.npz")
    assert result.code == 0, result
    with np.load("f.npz", allow_pickle=False) as found:
        assert len(found["features"]) == len(found["labels"]) == 5
