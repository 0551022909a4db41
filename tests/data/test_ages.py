"""Ages from MATLAB serial days, against dates worked out by hand."""

import math
from datetime import date

import pytest

from gantrain.data.ages import CLASS_NAMES, age_of, birth_date, class_of

# MATLAB's datenum: days from the (non-existent) 0 January of the year 0; datenum(1970,1,1) is 719529.


@pytest.mark.parametrize(
    ("serial", "day"),
    [
        (719529, date(1970, 1, 1)),
        (719529.75, date(1970, 1, 1)),  # in the evening
        (730486, date(2000, 1, 1)),
        (730545, date(2000, 2, 29)),
        (730546, date(2000, 3, 1)),
        (693962, date(1900, 1, 1)),
        (694020, date(1900, 2, 28)),
        (694021, date(1900, 3, 1)),  # 1900 was no leap year
        (367, date(1, 1, 1)),
        (368, date(1, 1, 2)),
        (366, date(1, 1, 1)),  # before the calendar begins
        (0, date(1, 1, 1)),
        (-5000, date(1, 1, 1)),
        (3652425, date(9999, 12, 31)),
        (3652425.5, date(9999, 12, 31)),
        (3652426, None),
        (1e300, None),
        (math.nan, None),
        (math.inf, None),
        (-math.inf, None),
    ],
)
def test_serial_days(serial, day):
    assert birth_date(serial) == day


@pytest.mark.parametrize(
    ("serial", "taken", "age"),
    [
        (723910 - 1, 2010, 28),  # 30 December 1981
        (719529, 2000, 30),  # 1 January 1970
        (719709, 2000, 30),  # 30 June 1970
        (719710, 2000, 29),  # 1 July 1970
        (719893, 2000, 29),  # 31 December 1970
        (719894, 2000, 29),  # 1 January 1971
        (730667, 2001, 1),  # 30 June 2000, a leap year
        (730668, 2001, 0),  # 1 July 2000
        (730545, 2012, 12),  # 29 February 2000
        (719529, 1965, -5),
        (0, 2010, 2009),  # no date at all: far over 100
        (719529, math.nan, None),
        (math.nan, 2000, None),
    ],
)
def test_the_age_is_that_in_the_middle_of_the_year_of_the_photo(serial, taken, age):
    assert age_of(serial, taken) == age


@pytest.mark.parametrize(
    ("age", "number"),
    [
        (1, 0),
        (18, 0),
        (18.5, 1),
        (19, 1),
        (29, 1),
        (30, 2),
        (39, 2),
        (40, 3),
        (49, 3),
        (50, 4),
        (59, 4),
        (60, 5),
        (99, 5),
    ],
)
def test_classes_end_with_their_last_age(age, number):
    assert class_of(age) == number
    assert len(CLASS_NAMES) == 6
