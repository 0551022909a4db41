"""Plain lines in a log."""

import re

from gantrain.drawing.text import clock, pace


def test_lines_in_a_log(gantrain):
    words = ("debug=tiny", "iterations=30", "hydra.run.dir=run", "callbacks.metrics.every=1")
    result = gantrain(*words, "callbacks.progress.seconds=0")
    line = r"^7/30  [\d,]+ images/s  discriminator \d+\.\d{3}  generator \d+\.\d{3}  \d:\d\d left$"
    assert re.search(line, result.out, re.MULTILINE), result.out


def test_the_pace_of_slow_runs_is_no_zero():
    assert pace(1234, 1) == "1,234 images/s"
    assert pace(0.2, 1) == "5.0 s/image"
    assert pace(4, 40, 2) == "20.0 s/iteration"
    assert pace(0, 40) == "0 images/s"


def test_seconds_as_a_clock_shows_them():
    assert [clock(s) for s in (5.9, 65, 3723)] == ["0:05", "1:05", "1:02:03"]
