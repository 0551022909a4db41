import pytest

from gantrain.data.formats import csv_rows as module
from gantrain.data.formats.csv_rows import csv_rows
from gantrain.errors import UserError


def rows(file):
    return list(csv_rows(file, ("path", "age"), "data.root"))


def test_columns_are_found_by_name_and_a_short_row_has_empty_values(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text('age,name,path\n3,"a, b",in/a.png\n4\n', encoding="utf-8-sig")
    assert rows(file) == [["in/a.png", "3"], ["", "4"]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "has no column 'age'"),
        (b"path,years\na,3\n", "has no column 'age'; its first line must be path,age"),
        (b"path,age\n\xff,3\n", "must be a CSV in UTF-8"),
        (b"path,age\n" + b"x" * 200_000 + b",3\n", "must be a CSV in UTF-8"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path, content, says):
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with pytest.raises(UserError, match=says) as refused:
        rows(file)
    assert str(refused.value).startswith("data.root: ")


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 1 << 20)
    file = tmp_path / "a.csv"
    with file.open("wb") as stream:
        stream.truncate((1 << 20) + 1)
    with pytest.raises(UserError, match="has more than 1 MB"):
        rows(file)
