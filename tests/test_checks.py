import pytest

from gantrain.checks import check_positive, check_whole


def test_whole_numbers():
    check_whole(0, a=0, b=7, c=None)
    for wrong in (-1, 1.5, 2.0, True, "3", float("nan")):
        with pytest.raises(ValueError, match=f"^b is {wrong!r}, it must be a whole number of 0 or more"):
            check_whole(0, a=0, b=wrong)


def test_positive_numbers():
    check_positive(a=0.1, b=None)
    with pytest.raises(ValueError, match=r"^b is 0, it must be positive"):
        check_positive(a=1, b=0)
