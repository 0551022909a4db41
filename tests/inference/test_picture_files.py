"""What upscale and translate share; tests/use/test_upscale.py holds it against files of every kind."""

from pathlib import Path

import pytest
from PIL import Image

from gantrain.data.formats.decode import Unreadable
from gantrain.errors import UserError
from gantrain.inference.picture_files import plan, save, work


def test_one_that_fails_stops_no_other(tmp_path, capsys):
    jobs = {tmp_path / f"{name}.png": Path(f"{name}.png") for name in "abc"}

    def make(source):
        if source.stem == "b":
            raise Unreadable("torn")
        return Image.new("L", (2, 3))

    assert work(jobs, make, " turned") == 1
    told = capsys.readouterr()
    assert told.out == "2 of 3 pictures turned\n"
    assert "'b.png': torn" in told.err
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.png", "c.png"]
    assert work({tmp_path / "d.png": Path("d")}, make, "") == 0


def test_a_suffix_without_a_format_is_no_picture(tmp_path):
    with pytest.raises(Unreadable, match=r"'\.txt'"):
        save(Image.new("L", (2, 2)), tmp_path / "a.txt")


def test_all_of_it_lies_where_it_would_go(tmp_path):
    save(Image.new("L", (2, 2)), tmp_path / "in" / "out" / "a.png")
    with pytest.raises(UserError, match="nothing to do"):
        plan([tmp_path / "in"], tmp_path / "in" / "out", force=False)


def test_results_may_all_be_of_one_kind(tmp_path):
    save(Image.new("L", (2, 2)), tmp_path / "in" / "a.jpg")
    jobs = plan([tmp_path / "in"], tmp_path / "out", force=False, suffix=".png")
    assert jobs == {tmp_path / "out" / "a.png": tmp_path / "in" / "a.jpg"}
    save(Image.new("L", (2, 2)), tmp_path / "in" / "a.png")
    with pytest.raises(UserError, match="would both become"):
        plan([tmp_path / "in"], tmp_path / "out", force=False, suffix=".png")


def test_exif_is_written_where_there_is_any(tmp_path):
    picture, exif = Image.new("L", (2, 2)), Image.Exif()
    exif[0x010E] = "a walk"
    picture.info["exif"] = exif.tobytes()
    for name in ("a.png", "a.jpg"):
        save(picture, tmp_path / name)
        with Image.open(tmp_path / name) as kept:
            assert kept.getexif()[0x010E] == "a walk"


def test_a_folder_below_a_file_is_refused_before_any_work(tmp_path):
    for name in ("a.png", "file"):
        (tmp_path / name).touch()
    for out in ("file", "file/sub/made"):
        with pytest.raises(UserError, match=r"--out: .*file is a file, not a folder"):
            plan([tmp_path / "a.png"], tmp_path / out, True)
