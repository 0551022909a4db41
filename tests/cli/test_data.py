"""`gantrain data`: what training would see."""

import shutil
from pathlib import Path

import pytest
from idx import make_mnist
from pictures_on_disk import make_pictures, write_picture
from PIL import Image


@pytest.fixture
def pets(tmp_path):
    make_pictures(tmp_path / "pets" / "cats", 5, size=(16, 20))
    make_pictures(tmp_path / "pets" / "do\ngs", 3, size=(40, 40))
    shutil.copy(tmp_path / "pets" / "cats" / "000.png", tmp_path / "pets" / "do\ngs" / "copy.png")
    write_picture(tmp_path / "pets" / "cats" / "grey.png", 7, (16, 20), "L")
    return tmp_path / "pets"


def facts(result):
    return dict(line.split(None, 1) for line in result.out.splitlines() if not line.startswith(" "))


def test_a_folder(gantrain, pets):
    result = gantrain("data", "data=folder", f"data.root={pets}", "data.size=16", "data.augment.flip=true")
    assert result.code == 0, result
    found = facts(result)
    assert found["images"] == "10"
    assert found["sizes"] == "from 16x20 to 40x40, most often 16x20 (7)"
    assert found["modes"] == "RGB 9, L 1"
    assert found["classes"] == "2: cats 6, 'do\\ngs' 4"
    assert found["copies"] == "1 pictures have the pixels of another: 'cats/000.png' = 'do\\ngs/copy.png'"
    assert found["unreadable"] == "none"
    assert found["training"] == "3x16x16 in -1 to 1, batches of 64, flipped at random"
    assert Path(found["cache"].split(" (")[0]).is_dir()
    assert found["picture"] == "data.png"
    with Image.open("data.png") as picture:
        assert picture.mode == "RGB"
    assert not Path("runs").exists()


def test_words_may_stand_in_any_order(gantrain, pets):
    result = gantrain("data", "--out", "there/x.png", "data=folder", f"data.root={pets}", "data.size=16")
    assert result.code == 0, result
    assert Path("there/x.png").is_file()


@pytest.mark.parametrize("words", [(), ("experiment=gan_mnist", "data.root=mnist"), ("debug=tiny",)])
def test_built_in_and_mnist(gantrain, tmp_path, words):
    make_mnist(tmp_path / "mnist")
    result = gantrain("data", *words)
    assert result.code == 0, result
    assert facts(result)["images"] == ("64" if words else "1,797")
    assert facts(result)["classes"].startswith("10: 0 ")
    assert Path("data.png").is_file()


def test_the_report_comes_before_the_refusal(gantrain, pets):
    (pets / "cats" / "torn\n.png").write_bytes((pets / "cats" / "000.png").read_bytes()[:200])
    result = gantrain("data", "data=folder", f"data.root={pets}", "data.size=16")
    assert result.code == 2
    assert facts(result)["unreadable"] == "1"
    assert "'cats/torn\\n.png': " in result.out
    assert "data.on_error=skip" in result.err
    assert not Path("data.png").exists()
    assert gantrain("data", "data=folder", f"data.root={pets}", "data.size=16", "data.on_error=skip").code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["data=foldr"], "did you mean 'folder'"),
        (["data=folder"], "data.root=FOLDER"),
        (["data=folder", "data.root=nowhere"], "nowhere is not there"),
        (["data=folder", "data.root=."], "holds no png"),
        (["data=folder", "data.dataset.crop=middle"], "crop is 'middle'"),
        (["data=folder", "data.dataset.backgrund=1"], "did you mean 'background'"),
        (["data=celeba", "data.root=nowhere"], "img_align_celeba.zip"),
        (["data.batchsize=3"], "did you mean 'batch_size'"),
        (["iterations=0"], "iterations is 0"),
        (["--config-dir", "nowhere"], "no folder 'nowhere'"),
        (["--out", "data.xyz"], "--out: cannot write data.xyz"),
        (["x"], "key=value"),
    ],
)
def test_mistakes(gantrain, words, says):
    result = gantrain("data", *words)
    assert result.code == 2, result
    assert says in result.err
    assert len(result.err.splitlines()) == 1


def test_an_experiment_of_ones_own(gantrain, pets, tmp_path):
    (tmp_path / "my own, 'new'" / "experiment").mkdir(parents=True)
    (tmp_path / "my own, 'new'" / "experiment" / "pets.yaml").write_text(
        "# @package _global_\n# Pets.\ndefaults:\n  - override /data: folder\niterations: 5\n"
        f"data: {{root: {pets}, size: 16}}\n"
    )
    result = gantrain("data", "--config-dir", "my own, 'new'", "experiment=pets")
    assert result.code == 0, result
    assert facts(result)["images"] == "10"


def test_what_is_held_out_is_said(gantrain, pets, tmp_path):
    words = ("data", "data=folder", f"data.root={pets}", "data.size=16")
    assert facts(gantrain(*words))["holdout"].startswith("none; data.holdout=0.1")
    assert (
        facts(gantrain(*words, "data.holdout=3"))["holdout"] == "2, by data.holdout=3"
    )  # the third is a copy of another
    make_mnist(tmp_path / "mnist")
    found = facts(gantrain("data", "experiment=gan_mnist", f"data.root={tmp_path}/mnist"))["holdout"]
    assert found.endswith(", the test split")
    for file in (tmp_path / "mnist").rglob("t10k*"):
        file.unlink()
    found = facts(gantrain("data", "experiment=gan_mnist", f"data.root={tmp_path}/mnist"))["holdout"]
    assert found.startswith("none to be had: data.root: there is no ")
