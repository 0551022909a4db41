"""CelebA: its folder, its zip, and where they may lie."""

import shutil

import pytest
from pictures_on_disk import write_picture

from gantrain.data.cache.pictures import open_cache
from gantrain.data.celeba import CelebA
from gantrain.errors import UserError


@pytest.fixture
def faces(tmp_path):
    """CelebA in small: 178x218 JPEGs in their folder."""
    for i in range(1, 5):
        write_picture(tmp_path / "faces" / "img_align_celeba" / f"{i:06d}.jpg", i, (178, 218))
    return tmp_path / "faces"


def test_folder_and_zip_give_the_same_pictures(faces, tmp_path):
    (tmp_path / "zipped").mkdir()
    shutil.make_archive(str(tmp_path / "zipped" / "img_align_celeba"), "zip", faces, "img_align_celeba")
    folder, archive = CelebA().open(faces), CelebA().open(tmp_path / "zipped")
    assert [archive.name(i) for i in range(4)] == [f"img_align_celeba/{i:06d}.jpg" for i in range(1, 5)]
    a, b = (open_cache(source, 64, 3, tmp_path / "cache") for source in (folder, archive))
    assert a.images.shape == (4, 3, 64, 64)
    assert (a.images == b.images).all()
    assert a.labels is None
    assert b.labels is None
    assert sorted(file.name for file in (tmp_path / "zipped").iterdir()) == ["img_align_celeba.zip"]


def test_it_may_lie_where_torchvision_puts_it(faces, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    faces.rename(tmp_path / "data" / "celeba")
    monkeypatch.setenv("GANTRAIN_DATA", str(tmp_path / "data"))
    assert len(CelebA().open(None)) == 4
    assert len(CelebA().open(tmp_path / "data" / "celeba")) == 4
    assert len(CelebA().open(tmp_path / "data" / "celeba" / "img_align_celeba")) == 4


def test_the_root_may_be_the_zip(faces, tmp_path):
    file = shutil.make_archive(str(tmp_path / "any"), "zip", faces)
    assert len(CelebA().open(tmp_path / "any.zip")) == 4
    assert file.endswith("any.zip")


def test_neither_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"neither .*img_align_celeba nor .*img_align_celeba\.zip"):
        CelebA().open(tmp_path)
