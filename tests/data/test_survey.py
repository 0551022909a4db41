"""What a cache holds, in numbers."""

import shutil

from pictures_on_disk import make_pictures, write_picture

from gantrain.data import survey
from gantrain.data.cache.pictures import open_cache
from gantrain.data.folder import ImageFolder


def test_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(survey, "STRIDE", 3)
    make_pictures(tmp_path / "x" / "a", 5)
    write_picture(tmp_path / "x" / "b" / "grey.png", 9, (16, 12), "L")
    shutil.copy(tmp_path / "x" / "a" / "001.png", tmp_path / "x" / "b" / "copy.png")
    shutil.copy(tmp_path / "x" / "a" / "001.png", tmp_path / "x" / "b" / "again.png")
    cached = open_cache(ImageFolder().open(tmp_path / "x"), 8, 3, tmp_path / "c")
    assert survey.sizes(cached) == {(8, 8): 7, (16, 12): 1}
    assert survey.modes(cached) == {"RGB": 7, "L": 1}
    assert survey.class_counts(cached) == [5, 3]
    assert survey.copies(cached) == [[1, 5, 6]]


def test_without_classes_or_copies(tmp_path):
    cached = open_cache(ImageFolder().open(make_pictures(tmp_path / "x", 3)), 8, 3, tmp_path / "c")
    assert survey.class_counts(cached) == []
    assert survey.copies(cached) == []
