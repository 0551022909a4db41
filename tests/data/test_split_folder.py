import pytest
from pictures_on_disk import make_pictures

from gantrain.data.split_folder import SplitFolder
from gantrain.errors import UserError


def test_each_split_is_its_folder(tmp_path):
    make_pictures(tmp_path / "train" / "x", 3)
    make_pictures(tmp_path / "train" / "y", 2)
    make_pictures(tmp_path / "val", 1)
    data = SplitFolder(crop="none")
    assert len(data.open(tmp_path)) == 5
    assert data.open(tmp_path).labels is None
    held_out = data.held_out()
    assert len(held_out.open(tmp_path)) == 1
    assert held_out.open(tmp_path).framing == data.framing
    with pytest.raises(UserError, match="leaves nothing"):
        held_out.held_out()


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no folder .*train; point data\.root="):
        SplitFolder().open(tmp_path)
    with pytest.raises(UserError, match=r"holds train with data\.root=FOLDER"):
        SplitFolder().open(None)
