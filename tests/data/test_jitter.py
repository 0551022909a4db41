import numpy as np
import pytest

from gantrain.data.jitter import check_load_size, crops


def test_crops_lie_everywhere_and_only_positions_decide_where():
    pixels = np.arange(36, dtype=np.uint8).reshape(1, 1, 6, 6).repeat(200, 0)
    cut = crops(pixels, np.arange(200), 4, seed=0)
    corners = [divmod(int(picture[0, 0, 0]), 6) for picture in cut]
    assert set(corners) == {(y, x) for y in range(3) for x in range(3)}
    for picture, (y, x) in zip(cut, corners, strict=True):
        assert (picture[0] == pixels[0, 0, y : y + 4, x : x + 4]).all()
    assert (crops(pixels[50:], np.arange(50, 200), 4, seed=0) == cut[50:]).all()
    assert not (crops(pixels, np.arange(200), 4, seed=1) == cut).all()


def test_without_room_they_are_whole():
    pixels = np.zeros((2, 1, 4, 4), np.uint8)
    assert crops(pixels, np.arange(2), 4, 0) is pixels


def test_the_side_that_is_kept_is_no_smaller():
    assert check_load_size(None, 8) == 8
    assert check_load_size(9, 8) == 9
    for wrong in (7, 8.5, True):
        with pytest.raises(ValueError, match="load_size"):
            check_load_size(wrong, 8)
