"""Attention maps on pictures."""

import torch

from gantrain.drawing.attention import DARK, attention_sheet


def test_a_place_is_marked_and_what_it_looks_at_is_lit():
    pictures = torch.full((1, 1, 96, 96), 200, dtype=torch.uint8)
    maps = torch.zeros(1, 1, 2, 2)
    maps[0, 0, 1, 1] = 0.5
    sheet = attention_sheet(pictures, maps, [(0.25, 0.5)])
    assert sheet.shape == (3, 100, 198)
    before, after = sheet[:, 2:98, 2:98], sheet[:, 2:98, 100:196]
    assert torch.equal(before, pictures[0].expand(3, -1, -1))
    assert after[:, -1, -1].tolist() == [200] * 3  # the largest value of the map is lit in full
    assert after[:, 0, 0].tolist() == [round(200 * DARK)] * 3
    assert after[:, 24, 48].tolist() == [255, 40, 40]


def test_a_map_of_nothing_is_dark_and_no_error():
    sheet = attention_sheet(torch.full((1, 3, 8, 8), 200, dtype=torch.uint8), torch.zeros(1, 1, 4, 4), [(0.5, 0.5)])
    assert sheet.float().isfinite().all()
