"""Pairs whose halves lie in two folders."""

import pytest
from PIL import Image

from gantrain.data.paired_folders import PairedFolders
from gantrain.data.pairs import Pairs
from gantrain.errors import UserError


def write(file, shade, size=(16, 16), mode="RGB"):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, shade, shade)).convert(mode).save(file)


def module(root, **options):
    known = {"size": 8, "channels": 3, "cond_channels": 3, "batch_size": 1, "condition": "beside", "root": str(root)}
    return Pairs(dataset=PairedFolders(crop="none"), **{**known, **options}).open()


@pytest.mark.parametrize("size", [(16, 16), (8, 40), (40, 8)])
@pytest.mark.parametrize("direction", ["a_to_b", "b_to_a"])
def test_names_that_agree_are_pairs(tmp_path, direction, size):
    for i, name in enumerate(("x", "deep/y", "z")):
        write(tmp_path / "A" / f"{name}.png", 10 * i, size, "LA")
        write(tmp_path / "B" / f"{name}.bmp", 100 + 10 * i, (2 * size[0], 2 * size[1]))
    data = module(tmp_path, direction=direction)
    cond, real = data.conditions.images[:, 0, 0, 0].tolist(), data.cached.images[:, 0, 0, 0].tolist()
    assert (cond, real)[:: 1 if direction == "a_to_b" else -1] == ([10, 0, 20], [110, 100, 120])
    assert data.half_of(picture := Image.new("RGB", (32, 16))) is picture  # no files of pairs
    kept = module(tmp_path, holdout=1)
    assert (len(kept), len(kept.held_out())) == (2, 1)


def test_what_does_not_agree_is_named(tmp_path):
    write(tmp_path / "A" / "x.png", 1)
    with pytest.raises(UserError, match=r"there is no folder .*B"):
        module(tmp_path)
    write(tmp_path / "B" / "y.png", 1)
    with pytest.raises(UserError, match=r"2 pictures of A and B have no other of their name, such as 'A/x\.png'"):
        module(tmp_path)
    write(tmp_path / "A" / "y.png", 1, (16, 30))
    (tmp_path / "A" / "x.png").unlink()
    with pytest.raises(UserError, match="16x30 and 16x16 pixels"):
        module(tmp_path)
    for side in "AB":
        (tmp_path / side / "y.png").unlink()
        for split in ("train", "val"):
            write(tmp_path / side / split / "x.png", 1)
    with pytest.raises(UserError, match=r"holds the splits train and val; .*data.dataset.a=A/"):
        module(tmp_path)
    assert PairedFolders("A/train", "B/train").open(tmp_path).names == ["B/train/x.png"]
    with pytest.raises(ValueError, match="both 'x'"):
        PairedFolders("x", "x")


def test_one_name_twice_in_a_folder_is_refused(tmp_path):
    for name in ("A/x.png", "A/x.jpg", "B/x.png"):
        write(tmp_path / name, 1)
    with pytest.raises(UserError, match="differ in their suffix alone"):
        module(tmp_path)


def test_pix2pix_says_how_to_take_them_and_trains(gantrain, tmp_path):
    for shade, name in enumerate(("A/x.png", "A/y.png", "B/x.png", "B/y.png", "B/z.png", "A/z.png")):
        write(tmp_path / name, 20 * shade, (64, 64))
    narrow = [f"networks.{name}.width=2" for name in ("generator", "discriminator")]
    words = ["experiment=pix2pix_folder", f"data.root={tmp_path}", *narrow, "iterations=1", "hydra.run.dir=run"]
    result = gantrain(*words, "data=pairs")
    assert (result.code, "data=pairs_two_folders" in result.err) == (2, True)
    words += ["data=pairs_two_folders", "data.size=64", "data.load_size=null", "data.batch_size=2"]
    result = gantrain(*words, "evaluation=none", "callbacks.samples.count=1")
    assert result.code == 0, result
