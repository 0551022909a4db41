"""Numbers that change over images seen."""

import pytest

from gantrain.ramps import Cosine, Linear, at, check_ramp


def test_a_line_and_half_a_cosine():
    line, cosine = Linear(2.0, 1.0, images=100), Cosine(2.0, 1.0, images=100)
    assert [line.at(n) for n in (0, 25, 100, 1000)] == [2.0, 1.75, 1.0, 1.0]
    assert [cosine.at(n) for n in (0, 50, 100, 1000)] == pytest.approx([2.0, 1.5, 1.0, 1.0])
    assert cosine.at(25) == pytest.approx(2 - (1 - 2**-0.5) / 2)


def test_numbers_that_stay_are_numbers():
    assert at(0.5, 10) == 0.5
    assert at(Linear(0.0, 1.0, images=20), 10) == 0.5


def test_what_is_refused():
    with pytest.raises(ValueError, match="images is 0"):
        Linear(0.0, 1.0, images=0)
    with pytest.raises(ValueError, match=r"weight is 1\.0 to -1\.0, it must not be negative"):
        check_ramp(weight=Linear(1.0, -1.0, images=3))
    check_ramp(weight=None, other=2.0)
