"""A folder of picture files: what is found, classes, links, odd names."""

import os
import shutil

import numpy as np
import pytest
from pictures_on_disk import make_pictures, write_picture
from PIL import Image

from gantrain.data import GANDataModule
from gantrain.data.folder import ImageFolder
from gantrain.errors import UserError


def test_pictures_of_all_kinds_are_found_however_deep(tmp_path):
    for name in ("a.png", "b/c.JPG", "b/d/e.webp", "b/d/f.bmp", "g.gif", "h.jpeg"):
        write_picture(tmp_path / name)
    for name in (".hidden.png", ".git/x.png", "__MACOSX/y.png", "._a.png", "notes.txt"):
        shutil.copy(tmp_path / "a.png", tmp_path / "copy")
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / "copy").rename(tmp_path / name)
    source = ImageFolder().open(tmp_path)
    assert [source.name(i) for i in range(len(source))] == [
        "a.png",
        "b/c.JPG",
        "b/d/e.webp",
        "b/d/f.bmp",
        "g.gif",
        "h.jpeg",
    ]
    assert source.labels is None
    with source.read(3) as picture:
        assert picture.size == (8, 8)


def test_folders_right_below_are_the_classes(tmp_path):
    for folder, count in (("cats", 2), ("dogs", 3)):
        make_pictures(tmp_path / folder, count)
    source = ImageFolder().open(tmp_path)
    assert source.labels.tolist() == [0, 0, 1, 1, 1]
    assert source.class_names == ["cats", "dogs"]


@pytest.mark.parametrize("extra", ["x.png", "cats/more/x.png"])
def test_no_classes_where_pictures_lie_elsewhere_too(tmp_path, extra):
    for name in ("cats/a.png", "dogs/a.png", extra):
        write_picture(tmp_path / name)
    assert ImageFolder().open(tmp_path).labels is None


def test_one_folder_is_no_class(tmp_path):
    make_pictures(tmp_path / "images")
    assert ImageFolder().open(tmp_path).labels is None


def test_a_class_folder_without_a_picture_is_named(tmp_path):
    make_pictures(tmp_path / "cats")
    (tmp_path / "no dogs").mkdir()
    with pytest.raises(UserError, match=r"class folder '.*no dogs' holds no picture"):
        ImageFolder().open(tmp_path)


def test_missing_wrong_and_empty_folders(tmp_path):
    file = write_picture(tmp_path / "x" / "a.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("")
    for root, says in (
        (None, "data.root=FOLDER"),
        (tmp_path / "nowhere", "nowhere is not there"),
        (file, "a.png is a file, not a folder"),
        (tmp_path / "empty", "empty holds no png"),
        (tmp_path / "texts", "texts holds 1 files but no png"),
    ):
        with pytest.raises(UserError, match=says):
            ImageFolder().open(root)


def test_links_may_not_leave_the_root(tmp_path, capsys):
    root = make_pictures(tmp_path / "root", 2)
    secret = make_pictures(tmp_path / "root-secret", 1)  # a name that begins like the root's
    (root / "inside.png").symlink_to(root / "000.png")
    (root / "outside.png").symlink_to(secret / "000.png")
    (root / "dots.png").symlink_to("../root-secret/000.png")
    (root / "nowhere.png").symlink_to(root / "gone.png")
    (root / "circle.png").symlink_to("circle.png")
    (root / "folder").symlink_to(secret)
    (root / "up").symlink_to(root)
    assert ImageFolder().open(root).names == ["000.png", "001.png", "inside.png"]
    err = capsys.readouterr().err
    assert "6 links are left out" in err
    assert len(err.splitlines()) == 1


def test_a_root_that_is_a_link_is_fine(tmp_path):
    make_pictures(tmp_path / "there", 2)
    (tmp_path / "here").symlink_to("there")
    assert len(ImageFolder().open(tmp_path / "here")) == 2


def test_a_pipe_is_no_picture(tmp_path):
    make_pictures(tmp_path, 1)
    os.mkfifo(tmp_path / "pipe.png")
    assert ImageFolder().open(tmp_path).names == ["000.png"]


def test_names_with_spaces_newlines_and_bytes(tmp_path):
    names = ["a b.png", "ä€😀.png", "line\nbreak.png", "\x1b[31mred.png", os.fsdecode(b"\xff\xfe.png")]
    for i, name in enumerate(names):
        write_picture(tmp_path / "x.png", i).rename(tmp_path / name)
    source = ImageFolder().open(tmp_path)
    assert sorted(source.names) == sorted(names)
    for i in range(len(source)):
        with source.read(i) as picture:
            assert np.asarray(picture).shape == (8, 8, 3)


def test_any_change_is_another_fingerprint(tmp_path):
    def fingerprint():
        return ImageFolder().open(tmp_path).fingerprint

    make_pictures(tmp_path, 3)
    seen = [fingerprint()]
    assert fingerprint() == seen[0]
    os.utime(tmp_path / "001.png", ns=(1, 1))  # as after an edit
    seen.append(fingerprint())
    write_picture(tmp_path / "new.png")
    seen.append(fingerprint())
    (tmp_path / "000.png").rename(tmp_path / "renamed.png")
    seen.append(fingerprint())
    (tmp_path / "002.png").unlink()
    seen.append(fingerprint())
    assert len(set(seen)) == 5


def test_other_bytes_of_the_same_name_size_and_time_are_another_fingerprint(tmp_path):
    for folder, last in (("a", b"x"), ("b", b"y")):
        write_picture(tmp_path / folder / "0.png")
        with (tmp_path / folder / "0.png").open("ab") as stream:
            stream.write(bytes(10_000) + last)
        os.utime(tmp_path / folder / "0.png", ns=(1, 1))
    assert ImageFolder().open(tmp_path / "a").fingerprint != ImageFolder().open(tmp_path / "b").fingerprint


def test_a_moved_folder_is_the_same(tmp_path):
    before = ImageFolder().open(make_pictures(tmp_path / "a")).fingerprint
    (tmp_path / "a").rename(tmp_path / "b")
    assert ImageFolder().open(tmp_path / "b").fingerprint == before


def test_options_are_checked():
    with pytest.raises(ValueError, match="background"):
        ImageFolder(background=[300, 0, 0])


def test_a_file_is_read_by_what_is_inside(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "x.jpg", "PNG")
    with ImageFolder().open(tmp_path).read(0) as picture:
        assert picture.format == "PNG"


@pytest.mark.parametrize("names", [("train", "val"), ("Training", "test"), ("train", "valid", "dev"), ("train",)])
@pytest.mark.parametrize("inside", ["", "cat/", "dog/"])
def test_splits_are_no_classes(tmp_path, capsys, names, inside):
    for name in names:
        for sub in {inside, "dog/" if inside else ""}:
            write_picture(tmp_path / name / sub / "a.png")
    source = ImageFolder().open(tmp_path)
    assert source.root == tmp_path / names[0]
    assert source.class_names == (["cat", "dog"] if inside == "cat/" else None)
    err = capsys.readouterr().err
    assert ("are splits: training reads" in err) == (len(names) > 1)


@pytest.mark.parametrize(
    ("names", "held"),
    [
        (("train", "val"), "val"),
        (("training", "testing"), "testing"),
        (("train", "test", "val"), "val"),
        (("train", "test", "dev"), "dev"),
        (("Train", "Validation"), "Validation"),
    ],
)
def test_the_split_beside_train_is_held_out_with_the_classes_of_train(tmp_path, capsys, names, held):
    for name in names:
        for number, animal in enumerate(("cat", "dog", "fox") if name == names[0] else ("dog", "fox")):
            write_picture(tmp_path / name / animal / f"{name}.png", number)
    folder = ImageFolder()
    folder.open(tmp_path)
    assert f"{held} is held out" in capsys.readouterr().err
    source = folder.held_out().open(tmp_path)
    assert (source.root, source.class_names) == (tmp_path / held, ["cat", "dog", "fox"])
    assert source.labels.tolist() == [1, 2]
    assert capsys.readouterr().err == ""
    write_picture(tmp_path / held / "emu/a.png")
    with pytest.raises(UserError, match=r"emu' is no class of the training pictures; there are cat, dog, fox"):
        folder.held_out().open(tmp_path)


def test_without_splits_nothing_is_held_out(tmp_path):
    write_picture(tmp_path / "train/a.png")
    folder = ImageFolder()
    folder.open(tmp_path)
    assert not folder.has_held_out


def test_a_class_may_be_called_train_beside_others(tmp_path):
    for name in ("train", "bus", "test"):
        write_picture(tmp_path / name / "a.png")
    assert ImageFolder().open(tmp_path).class_names == ["bus", "test", "train"]


@pytest.mark.parametrize(("names", "says"), [(("val", "test"), "none is for training"), (("train", "val"), "'a.png'")])
def test_what_is_in_the_way_of_splits_is_named(tmp_path, names, says):
    for name in names:
        write_picture(tmp_path / name / "a.png")
    write_picture(tmp_path / "a.png")
    if "train" not in names:
        (tmp_path / "a.png").unlink()
    with pytest.raises(UserError, match=says):
        ImageFolder().open(tmp_path)


def test_folders_that_are_numbers_sort_as_numbers(tmp_path):
    for name in ("1", "2", "10", "003"):
        write_picture(tmp_path / name / "a.png")
    source = ImageFolder().open(tmp_path)
    assert source.class_names == ["1", "2", "003", "10"]
    assert [source.class_names[label] for label in source.labels] == [name.partition("/")[0] for name in source.names]


def test_what_is_passed_over_is_counted_with_one_name(tmp_path):
    for name in ("a.png", "b.jfif", "c.jpe"):
        write_picture(tmp_path / name) if name != "b.jfif" else Image.new("RGB", (8, 8)).save(tmp_path / name, "JPEG")
    for name in ("d.tif", "e.npy", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    source = ImageFolder().open(tmp_path)
    assert source.names == ["a.png", "b.jfif", "c.jpe"]
    ((reason, count),) = source.dropped.items()
    assert (reason.endswith("(such as 'd.tif')"), count) == (True, 3)


def twelve_bits(root, top=3900):
    root.mkdir()
    for i in range(3):
        values = np.linspace(0, top, 64).astype(np.uint16).reshape(8, 8)
        Image.fromarray(values).save(root / f"{i}.png")
    return root


def module(root, **dataset):
    return GANDataModule(dataset=ImageFolder(**dataset), size=8, channels=1, batch_size=2, root=str(root))


def test_the_used_range_of_sixteen_bits_is_said_and_mapped(tmp_path, capsys):
    root = twelve_bits(tmp_path / "ct")
    data = module(root).open()
    assert data.cached.images.max() == 15
    assert "use the values 0 to 3900 of 0 to 65535" in (err := capsys.readouterr().err)
    assert "data.dataset.levels=[0,4095]" in err
    assert data.facts()["16 bits"].startswith("values from 0 to 3900,")
    data = module(root, levels=[100, 3900]).open()
    assert (data.cached.images.min(), data.cached.images.max()) == (0, 255)
    assert capsys.readouterr().err == ""
    for levels in ([5, 5], [9, 3], [0, 70000], [-1, 5]):
        with pytest.raises(ValueError, match="levels"):
            ImageFolder(levels=levels)


def test_sixteen_bits_that_are_used_need_no_word(tmp_path, capsys):
    module(twelve_bits(tmp_path / "deep", top=65535)).open()
    assert capsys.readouterr().err == ""
