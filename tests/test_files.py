"""Files written whole or not at all."""

import os
from pathlib import Path

import pytest

from gantrain.files import replacing


def written(file):
    with replacing(file) as temporary:
        temporary.write_text("new")


def test_a_file_is_replaced_whole():
    Path("a").write_text("old")
    Path("a").chmod(0o640)
    written(Path("a"))
    assert Path("a").read_text() == "new"
    with pytest.raises(ZeroDivisionError), replacing(Path("a")) as temporary:
        temporary.write_text(f"half {1 / 0}")
    assert Path("a").read_text() == "new"
    assert [file.name for file in Path().iterdir()] == ["a"]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda place: Path(place).symlink_to("nowhere")])
def test_what_is_no_file_is_not_replaced(make):
    """As root `--json /dev/stdout` or `/dev/null` would put a file in the place of the device."""
    make("x")
    before = os.lstat("x")
    with pytest.raises(FileExistsError, match="it is"):
        written(Path("x"))
    assert os.lstat("x") == before
    assert [file.name for file in Path().iterdir()] == ["x"]
