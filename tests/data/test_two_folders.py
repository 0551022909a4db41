import pytest
from pictures_on_disk import make_pictures

from gantrain.data.two_folders import TwoFolders
from gantrain.errors import UserError


def test_the_folders_are_the_two_classes(tmp_path):
    for folder, count in (("trainA", 3), ("trainB", 2), ("testA", 1), ("testB", 1)):
        make_pictures(tmp_path / folder, count)
    source = TwoFolders(crop="none").open(tmp_path)
    assert source.labels.tolist() == [0, 0, 0, 1, 1]
    assert source.name(3) == "trainB/000.png"
    assert source.read(3).size == (8, 8)
    held_out = TwoFolders(crop="none").held_out()
    assert [held_out.open(tmp_path).name(i) for i in range(2)] == ["testA/000.png", "testB/000.png"]
    assert held_out.framing.crop == "none"
    assert TwoFolders(a="trainB", b="trainA").open(tmp_path).fingerprint != source.fingerprint


def test_what_is_missing_is_named(tmp_path):
    make_pictures(tmp_path / "trainA", 1)
    with pytest.raises(UserError, match="trainB"):
        TwoFolders().open(tmp_path)
    (tmp_path / "trainB").mkdir()
    with pytest.raises(UserError, match="trainB holds no png"):
        TwoFolders().open(tmp_path)
    with pytest.raises(ValueError, match="both 'x'"):
        TwoFolders(a="x", b="x")
