"""3D ShapeNets' layout: categories, splits, turns."""

import pytest
from volumes_on_disk import box, make_shapenet, write_volume

from gantrain.data.shapenet import ShapeNet, object_of
from gantrain.data.split import divide
from gantrain.errors import UserError


def test_all_categories_by_name(tmp_path):
    source = ShapeNet().open(make_shapenet(tmp_path, ("table", "chair")))
    assert source.class_names == ["chair", "table"]
    assert source.labels.tolist() == [0] * 8 + [1] * 8
    assert source.name(0) == "chair/30/train/chair_000000000_1.mat"


def test_chosen_categories_in_their_order(tmp_path):
    make_shapenet(tmp_path, ("bed", "chair", "table"))
    source = ShapeNet(["table", "bed"]).open(tmp_path)
    assert source.class_names == ["table", "bed"]
    assert source.name(0).startswith("table")
    assert ShapeNet("chair").open(tmp_path).class_names == ["chair"]
    assert ShapeNet("chair").every_class().open(tmp_path).class_names == ["bed", "chair", "table"]


def test_the_test_split_has_other_objects(tmp_path):
    make_shapenet(tmp_path)
    train, test = ShapeNet().open(tmp_path), ShapeNet().held_out().open(tmp_path)
    objects = [{part.group(i) for i in range(len(part))} for part in (train, test)]
    assert (len(train), len(test)) == (16, 8)
    assert not objects[0] & {name.replace("/test/", "/train/") for name in objects[1]}
    with pytest.raises(UserError, match="training on the test split"):
        ShapeNet(split="test").held_out()


def test_a_holdout_keeps_the_turns_of_an_object_together(tmp_path):
    source = ShapeNet().open(make_shapenet(tmp_path, objects=6, turns=3))
    for holdout in (1, 4, 0.2, 0.5):
        train, test = divide(source, holdout)
        assert not {source.group(i) for i in train} & {source.group(i) for i in test}
        assert len(train) + len(test) == len(source)
        assert len(test) % 3 == 0
        assert len(test) >= (holdout if holdout >= 1 else holdout * len(source) - 1)


@pytest.mark.parametrize(
    ("name", "thing"),
    [
        ("a/30/train/chair_000000001_12.mat", "a/30/train/chair_000000001"),
        ("a/chair_7.npy", "a/chair_7"),
        ("a/b_1_c.npy", "a/b_1_c"),
    ],
)
def test_the_object_of_a_file(name, thing):
    assert object_of(name) == thing


def test_a_layout_without_30(tmp_path):
    write_volume(tmp_path / "cup" / "train" / "a.npy", box())
    assert len(ShapeNet().open(tmp_path)) == 1


def test_mixed_formats_and_other_files(tmp_path):
    make_shapenet(tmp_path, ("chair",))
    write_volume(tmp_path / "chair" / "30" / "train" / "more.npz", box())
    (tmp_path / "chair" / "30" / "train" / "notes.txt").write_text("hello")
    (tmp_path / "chair" / "30" / "train" / ".hidden.npy").write_text("hello")
    assert len(ShapeNet().open(tmp_path)) == 9


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match=r"data\.root: .* is not there"):
        ShapeNet().open(tmp_path / "none")
    with pytest.raises(UserError, match=r"data\.root: .* holds no folder like table/30/train"):
        ShapeNet().open(tmp_path)
    make_shapenet(tmp_path)
    with pytest.raises(UserError, match=r"data\.dataset\.categories: .*did you mean 'chair'"):
        ShapeNet(["chairs"]).open(tmp_path)
    (tmp_path / "lamp" / "30" / "train").mkdir(parents=True)
    with pytest.raises(UserError, match=r"lamp/30/train holds no mat, npy, npz"):
        ShapeNet(["lamp"]).open(tmp_path)


@pytest.mark.parametrize("categories", [[], ["a", "a"], ["../a"], ["/etc"], [".."], ["a/b"]])
def test_names_that_are_no_folder_in_the_root(categories):
    with pytest.raises(ValueError, match="categories"):
        ShapeNet(categories)


def test_the_fingerprint_follows_the_files(tmp_path):
    before = ShapeNet().open(make_shapenet(tmp_path)).fingerprint
    assert ShapeNet().open(tmp_path).fingerprint == before
    assert ShapeNet(["table", "chair"]).open(tmp_path).fingerprint != before
    write_volume(tmp_path / "chair" / "30" / "train" / "more.npy", box())
    assert ShapeNet().open(tmp_path).fingerprint != before
