from gantrain.models.loop import rounds
from gantrain.models.loop.rounds import Rounds, one


def played(round_of, length, at=0):
    """The lengths of a stage's rounds."""
    lengths = []
    while at < length:
        numbers = list(round_of(at, length))
        assert numbers == list(range(at, at + len(numbers)))
        lengths.append(len(numbers))
        at += len(numbers)
    return lengths


def test_a_round_ends_where_a_callback_acts():
    assert played(Rounds([4, 6]), 14) == [1, 3, 2, 2, 4, 2]


def test_an_iteration_that_is_looked_at_is_alone():
    assert played(Rounds([4], alone=[4]), 10) == [1, 2, 1, 3, 1, 2]
    assert played(Rounds([1], alone=[1]), 3) == [1, 1, 1]


def test_without_rhythms_the_first_iteration_and_the_end_remain():
    assert played(Rounds([]), 9) == [1, 8]
    assert played(Rounds([]), 9, at=5) == [4]


def test_a_callback_without_a_rhythm_sees_every_iteration():
    assert played(Rounds([1, 50]), 4) == played(one, 4) == [1, 1, 1, 1]


def test_a_round_is_over_when_a_signal_has_waited_long_enough(monkeypatch):
    clock = iter([0.0, 0.06, 0.12, 0.2, 0.26, 0.32])
    monkeypatch.setattr(rounds.time, "monotonic", lambda: next(clock))
    assert len(list(Rounds([])(1, 100))) == 2
