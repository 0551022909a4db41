"""Shapes look as their captions say; the test split asks for what training never showed together."""

import numpy as np

from gantrain.data.captioned_shapes import COLOURS, KINDS, PLACES, CaptionedShapes, said


def test_every_kind_is_in_one_split_alone():
    train, test = CaptionedShapes(each=1), CaptionedShapes(each=1).held_out()
    assert sorted([*train.labels, *test.labels]) == list(range(240))
    assert len(test) == 60
    # Each colour and shape were seen together, each size and place as well.
    for pair in ((0, 1), (2, 3)):
        seen = {tuple(KINDS[kind][i] for i in pair) for kind in train.labels}
        assert seen == {tuple(kind[i] for i in pair) for kind in KINDS}


def test_pictures_are_what_is_said():
    shapes = CaptionedShapes(each=1, side=32)
    areas = {"small": [], "large": []}
    for index in range(0, len(shapes), 7):
        _, colour, size, place = said(KINDS[shapes.labels[index]])
        pixels = np.array(shapes.read(index)).astype(float)
        inside = np.abs(pixels - pixels[0, 0]).sum(2) > 90
        rows, columns = np.nonzero(inside)
        assert np.abs(pixels[inside].mean(0) - COLOURS[colour]).max() < 60, index
        x, y = PLACES[place]
        assert abs(columns.mean() / 32 - x) < 0.13, index
        assert abs(rows.mean() / 32 - y) < 0.13, index
        areas[size].append(inside.mean())
    assert max(areas["small"]) < min(areas["large"])


def test_captions_are_several_and_the_same_again():
    one, again = CaptionedShapes(each=2), CaptionedShapes(each=2)
    assert one.captions == again.captions
    first = one.captions[0]
    assert len(set(first)) == 5
    shape, colour, _, place = said(KINDS[one.labels[0]])
    assert all(colour in text for text in first)
    assert all(shape in text or "disc" in text for text in first)
    assert sum(place in text for text in first) == 4
