import re

import pytest

from gantrain.checks import check_number, check_whole


def test_whole_numbers():
    check_whole(0, a=0, b=7, c=None)
    for wrong in (-1, 1.5, 2.0, True, "3", float("nan")):
        with pytest.raises(ValueError, match=f"^b is {wrong!r}, it must be a whole number of 0 or more"):
            check_whole(0, a=0, b=wrong)


def test_numbers():
    check_number(a=0, b=-1.5)
    for wrong in ("lots", True, None, [1.0], float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"^b is {re.escape(repr(wrong))}, it must be a number"):
            check_number(a=0, b=wrong)
