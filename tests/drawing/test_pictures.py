"""From the networks' range to pictures."""

import pytest
import torch
from PIL import Image, UnidentifiedImageError

from gantrain.drawing.pictures import animate, grid, open_png, spread, to_pil, to_uint8


def test_rounding_and_clipping():
    values = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])
    assert to_uint8(values, (-1, 1)).tolist() == [0, 0, 128, 255, 255]
    assert to_uint8(torch.tensor([0.0, 0.002, 0.5, 1.0]), (0, 1)).tolist() == [0, 1, 128, 255]


def test_every_byte_survives_the_way_there_and_back():
    bytes_ = torch.arange(256)
    for low, high in ((-1, 1), (0, 1)):
        assert to_uint8(bytes_.float() * ((high - low) / 255) + low, (low, high)).tolist() == bytes_.tolist()


def test_grid_places_pictures_in_rows():
    pictures = torch.stack([torch.full((1, 64, 64), i * 10, dtype=torch.uint8) for i in range(5)])
    sheet = grid(pictures, columns=3)
    assert sheet.shape == (1, 2 * 66 + 2, 3 * 66 + 2)
    assert sheet[0, 10, 10] == 0
    assert sheet[0, 10, 80] == 10
    assert sheet[0, 80, 10] == 30
    assert sheet[0, 80, 180] == 255  # no sixth picture


def test_small_pictures_are_enlarged_by_whole_numbers():
    assert grid(torch.zeros(1, 3, 16, 16, dtype=torch.uint8)).shape == (3, 48 + 4, 48 + 4)


def test_grey_and_colour():
    assert to_pil(torch.zeros(1, 4, 6, dtype=torch.uint8)).mode == "L"
    picture = to_pil(torch.zeros(3, 4, 6, dtype=torch.uint8))
    assert (picture.mode, picture.size) == ("RGB", (6, 4))


def test_an_animation_keeps_the_first_and_the_last_picture(tmp_path):
    for i in range(7):
        Image.new("RGB", (8, 6), (i * 30, 0, 0)).save(tmp_path / f"{i}.png")
    animate([tmp_path / f"{i}.png" for i in range(7)], tmp_path / "all.gif", most=3, side=4)
    with Image.open(tmp_path / "all.gif") as animation:
        assert (animation.n_frames, animation.size, animation.info["loop"]) == (3, (4, 3), 0)
        shown = []
        for i in range(3):  # the first, the middle and the last
            animation.seek(i)
            shown.append((animation.convert("RGB").getpixel((0, 0))[0], animation.info["duration"]))
    assert shown == [(0, 2000), (90, 2000), (180, 1500)]


def test_evenly_spread():
    assert spread([0, 1, 2, 3, 4], 3) == [0, 2, 4]
    assert spread([0, 1], 3) == [0, 1]


def test_only_a_png_is_opened_whatever_the_name_says(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "1.png", format="EPS")  # Pillow hands these to Ghostscript
    with pytest.raises(UnidentifiedImageError):
        open_png(tmp_path / "1.png")
