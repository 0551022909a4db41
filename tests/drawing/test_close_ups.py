import torch
from PIL import ImageColor

from gantrain.drawing.close_ups import FRAME, busiest, compare
from gantrain.drawing.sheets import GAP, PAPER


def test_the_detail_is_where_the_truth_varies_most():
    picture = torch.zeros(3, 32, 48, dtype=torch.uint8)
    picture[:, 9:15:2, 33:39] = 255
    assert busiest(picture, 8) == (8, 32)
    assert busiest(torch.zeros(1, 1, 1, dtype=torch.uint8), 1) == (0, 0)


def test_low_and_high_show_the_same_part_at_the_same_size():
    truth = torch.full((1, 1, 96, 96), 128, dtype=torch.uint8)
    truth[..., 24:48, 48:60] = 255
    truth[..., 24:48, 60:72] = 0
    low = truth[..., ::4, ::4]
    sheet = compare({"low": low, "truth": truth})
    assert sheet.shape == (3, GAP + 20 + 2 * 192 + 2 * GAP, 2 * (192 + GAP) + GAP)
    below = sheet[:, GAP + 20 + 192 + GAP : GAP + 20 + 2 * 192 + GAP]
    for left in (GAP, 2 * GAP + 192):
        detail = below[:, :, left : left + 192]
        assert (detail[:, 2, 2] == 255).all()
        assert (detail[:, 180, 180] == 0).all()
    red = torch.tensor([int(FRAME[i : i + 2], 16) for i in (1, 3, 5)], dtype=torch.uint8)
    framed = (sheet == red.view(3, 1, 1)).all(0)
    assert framed.sum() == 2 * (48**2 - 44**2)  # two pixels wide around 24 x 24, twice as large


def test_wide_pictures_fit():
    pictures = torch.randint(0, 256, (2, 3, 16, 40), dtype=torch.uint8)
    sheet = compare({"a": pictures, "b": pictures})
    assert sheet.dtype == torch.uint8
    assert (sheet[:, -1] == torch.tensor(ImageColor.getrgb(PAPER), dtype=torch.uint8)[:, None]).all()
