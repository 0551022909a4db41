"""What a cache holds, in numbers."""

import shutil

from pictures_on_disk import make_pictures, write_picture

from gantrain.data import survey
from gantrain.data.cache.pictures import open_cache
from gantrain.data.folder import ImageFolder


def test_sizes_modes_classes_and_copies_are_counted(tmp_path):
    make_pictures(tmp_path / "x" / "a", 5)
    write_picture(tmp_path / "x" / "b" / "grey.png", 9, (16, 12), "L")
    shutil.copy(tmp_path / "x" / "a" / "001.png", tmp_path / "x" / "b" / "copy.png")
    shutil.copy(tmp_path / "x" / "a" / "001.png", tmp_path / "x" / "b" / "again.png")
    source = ImageFolder().open(tmp_path / "x")
    cached = open_cache(source, 8, 3, tmp_path / "c")
    told = survey.told(source, cached)
    assert told["sizes"] == "from 8x8 to 16x12, most often 8x8 (7)"
    assert (told["modes"], told["classes"]) == ("RGB 7, L 1", "2: a 5, b 3")
    assert survey.copies(cached) == [[1, 5, 6]]


def test_without_classes_or_copies(tmp_path):
    source = ImageFolder().open(make_pictures(tmp_path / "x", 3))
    cached = open_cache(source, 8, 3, tmp_path / "c")
    told = survey.told(source, cached)
    assert (told["classes"], told["copies"]) == ("none", "none")
    assert survey.copies(cached) == []
