"""How far a verb is."""

import re

from gantrain.drawing import progress


def test_lines_in_a_log(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", 0)
    assert list(progress.track(iter("abc"), 3, "photos")) == ["a", "b", "c"]
    assert re.fullmatch(r"1 of 3 photos, 0:00 left\n2 of 3 photos, 0:00 left\n", capsys.readouterr().err)


def test_nothing_where_it_is_quick(capsys):
    assert list(progress.track(range(3), 3, "photos")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
