import numpy as np
from PIL import Image

from gantrain.data.conditions import condition_of, edges


def test_edges_are_a_black_line_where_the_shade_changes():
    grey = np.full((16, 16), 40, np.uint8)
    grey[:, 8:] = 200
    drawn = edges(grey)
    assert set(np.unique(drawn)) == {0, 255}
    lines = np.flatnonzero((drawn == 0).sum(0) > 8)
    assert 1 <= len(lines) <= 2
    assert set(lines) <= {7, 8}


def test_faint_pictures_have_edges_too():
    rng = np.random.default_rng(0)
    loud = rng.integers(0, 256, (16, 16)).astype(np.uint8)
    faint = (100 + loud // 16).astype(np.uint8)
    assert (edges(faint) == 0).sum() > 0.5 * (edges(loud) == 0).sum()


def test_a_picture_becomes_what_was_trained_on():
    picture = Image.new("RGB", (5, 4), (255, 0, 0))
    assert condition_of(picture, "grey", 1).tolist() == [[[76] * 5] * 4]
    assert condition_of(picture, "edges", 1).tolist() == [[[255] * 5] * 4]
    assert condition_of(picture, "beside", 3)[:, 0, 0].tolist() == [255, 0, 0]
