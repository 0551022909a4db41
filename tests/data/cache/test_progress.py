"""What a build tells of itself."""

import sys

from gantrain.data.cache.progress import Decoding


def test_a_log_gets_a_plain_line_every_few_seconds(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    progress = Decoding(100_000, 20_000)
    for _ in range(12):
        now[0] += 1.0
        progress.advance(1000)
    progress.close()
    assert capsys.readouterr().err.splitlines() == [
        "decoded 25,000 of 100,000 images, 1,000 images/s, 75 s left",
        "decoded 30,000 of 100,000 images, 1,000 images/s, 70 s left",
    ]


def test_a_terminal_gets_a_bar_that_a_short_build_never_shows(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    progress = Decoding(10)
    progress.advance(10)
    progress.close()
    assert capsys.readouterr().err.strip() == ""
    monkeypatch.setattr("gantrain.drawing.progress.DELAY", 0)
    progress = Decoding(10)
    progress.advance(10)
    progress.close()
    assert "10/10" in capsys.readouterr().err
