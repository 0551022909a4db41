"""From a birth date and the year of a photo to an age and its class (Rothe et al. 2015, IMDB-WIKI)."""

import math
from datetime import date

CLASS_NAMES = ("0-18", "19-29", "30-39", "40-49", "50-59", "60+")
LAST_AGES = (18, 29, 39, 49, 59)  # of every class but the last
YOUNGEST, OLDEST = 1, 100

_MATLAB_TO_ORDINAL = 366  # MATLAB counts days from a year 0 that Python's calendar lacks


def birth_date(serial: float) -> date | None:
    """The date of a MATLAB serial day, days before the year 1 taken for its first; None for what is no date."""
    if not math.isfinite(serial) or serial - _MATLAB_TO_ORDINAL >= date.max.toordinal() + 1:
        return None
    return date.fromordinal(max(int(serial) - _MATLAB_TO_ORDINAL, 1))


def age_of(serial: float, taken: float) -> int | None:
    """The age in the year `taken`, the photo taken to be of its middle: born in July or later is a year less.

    None where there is no birth date or no year.
    """
    born = birth_date(serial)
    if born is None or not math.isfinite(taken):
        return None
    return int(taken) - born.year - (born.month >= 7)


def class_of(age: float) -> int:
    """The class 0 to 5 of an age; each class ends with its last age: (0, 18], (18, 29], ..., over 59."""
    return sum(age > last for last in LAST_AGES)
