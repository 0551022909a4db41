"""Parametric furniture: what it is, and that it varies."""

import itertools

import numpy as np
import pytest

from gantrain.data.shapes3d import Shapes3D


def test_counts_labels_and_names():
    source = Shapes3D(["lamp", "chair"], objects=4, turns=3)
    assert len(source) == 24
    assert source.labels.tolist() == [0] * 12 + [1] * 12
    assert [source.name(i) for i in (0, 2, 12)] == ["lamp_train_0000_1", "lamp_train_0000_3", "chair_train_0000_1"]
    assert len(source.held_out()) == 6


def test_turns_turn_one_object_about_the_vertical_axis():
    source = Shapes3D("chair", objects=2, turns=4)
    views = [source.volume(i) for i in range(4)]
    for view, following in itertools.pairwise(views):
        assert np.array_equal(np.rot90(view, axes=(0, 1)), following)
    assert not np.array_equal(views[0], source.volume(4))


def test_tables_have_a_top_and_lamps_are_round():
    for i in range(0, 96, 12):
        table = Shapes3D("table").volume(i)
        area = table.sum((0, 1))
        assert area.max() > 4 * np.median(area[area > 0])  # the top against the legs
    lamp = Shapes3D("lamp").volume(0)
    assert np.array_equal(lamp, lamp.transpose(1, 0, 2))


@pytest.mark.parametrize("category", ["chair", "table", "lamp"])
def test_objects_stay_off_the_border_and_differ(category):
    source = Shapes3D(category, objects=8, turns=1)
    volumes = np.stack([source.volume(i) for i in range(8)])
    assert volumes.shape == (8, 30, 30, 30)
    inner = volumes[:, 1:-1, 1:-1, 1:-1]
    assert inner.sum() == volumes.sum() > 0
    assert len(np.unique(volumes.reshape(8, -1), axis=0)) == 8


def test_the_test_split_has_other_objects():
    train, test = Shapes3D("table", turns=1), Shapes3D("table", turns=1).held_out()
    seen = {train.volume(i).tobytes() for i in range(len(train))}
    assert not seen & {test.volume(i).tobytes() for i in range(len(test))}


def test_unknown_categories_are_refused():
    with pytest.raises(ValueError, match="no 'sofa'"):
        Shapes3D(["sofa"])
