import numpy as np
import pytest

from gantrain.data.masks import KINDS, holes

SIDES = (8, 16)


def drawn(kind, positions=None, size=32, seed=0, sides=SIDES):
    return holes(kind, np.arange(200) if positions is None else np.asarray(positions), size, sides, seed)


@pytest.mark.parametrize("kind", [*KINDS, "mixture"])
def test_some_pixels_are_missing_and_never_all(kind):
    missing = drawn(kind)
    assert (missing.shape, missing.dtype) == ((200, 1, 32, 32), bool)
    assert missing.any((1, 2, 3)).all()
    assert not missing.all((1, 2, 3)).any()


@pytest.mark.parametrize("kind", [*KINDS, "mixture"])
def test_a_hole_is_a_function_of_its_position_and_the_seed_alone(kind):
    whole = drawn(kind)
    for place in (3, 150):
        assert (drawn(kind, [place])[0] == whole[place]).all()
    assert (drawn(kind, [7, 3]) == whole[[7, 3]]).all()
    assert kind == "centre" or (drawn(kind, seed=1) != whole).any((1, 2, 3)).mean() > 0.5


def test_centre_is_half_the_side():
    missing = drawn("centre", [5], size=16)[0, 0]
    assert missing.sum() == 64
    assert missing[4:12, 4:12].all()


def test_squares_have_all_sides_and_reach_all_places():
    missing = drawn("square", np.arange(3000))[:, 0]
    sides = np.sqrt(missing.sum((1, 2)))
    assert set(sides.tolist()) == set(range(8, 17))
    assert missing.any(0).all()  # corners too
    tops, lefts = missing.any(2).argmax(1), missing.any(1).argmax(1)
    assert np.corrcoef(tops, lefts)[0, 1] < 0.6  # both depend on the side, but no square lies on the diagonal by rule
    assert (tops != lefts).mean() > 0.8


def test_halves_are_four():
    missing = drawn("half", size=8)[:, 0]
    assert (missing.sum((1, 2)) == 32).all()
    assert len(np.unique(missing.reshape(200, -1), axis=0)) == 4


def test_strokes_are_thin_and_many():
    share = drawn("strokes")[:, 0].mean((1, 2))
    assert 0.05 < share.mean() < 0.5


def test_a_mixture_has_a_quarter_of_each():
    missing = drawn("mixture", np.arange(2000))
    centres = (missing == drawn("centre", [0])[0]).all((1, 2, 3)).mean()
    assert 0.2 < centres < 0.3
