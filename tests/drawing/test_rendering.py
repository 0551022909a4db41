"""Pictures of volumes: where things appear, which faces are brighter, what turns."""

import torch

from gantrain.drawing.rendering import render, turn


def volumes(*boxes, side=16):
    made = torch.zeros(len(boxes), side, side, side, dtype=torch.bool)
    for volume, (low, high) in zip(made, boxes, strict=True):
        volume[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return made


def ink(picture):
    """Where a picture is not white, and the middle of it: rows, columns."""
    marked = (picture < 250).any(0)
    rows, columns = marked.nonzero(as_tuple=True)
    return marked, rows.float().mean(), columns.float().mean()


def test_shape_and_white_ground():
    pictures = render(volumes(((4, 4, 4), (12, 12, 12)), ((0, 0, 0), (0, 0, 0))))
    assert pictures.shape == (2, 3, 96, 96)
    assert pictures.dtype == torch.uint8
    assert (pictures[1] == 255).all()
    assert (pictures[0, :, 0] == 255).all()


def test_a_full_volume_fits_and_nearly_fills_the_height():
    marked, _, _ = ink(render(volumes(((0, 0, 0), (16, 16, 16))))[0])
    rows = marked.any(1)
    assert 86 <= rows.sum() <= 96
    assert not marked[:, 0].any()
    assert not marked[:, -1].any()


def test_up_is_up_and_solids_have_no_holes():
    low, high = render(volumes(((6, 6, 0), (10, 10, 4)), ((6, 6, 12), (10, 10, 16))))
    assert ink(low)[1] > ink(high)[1] + 30
    marked, _, _ = ink(low)
    for row in marked[marked.any(1)]:
        columns = row.nonzero().flatten()
        assert len(columns) == columns[-1] - columns[0] + 1


def test_the_top_is_brightest():
    picture = render(volumes(((3, 3, 3), (13, 13, 13))))[0].float().mean(0)
    column = picture[:, 48]
    inside = column[column < 250]
    assert inside[5] > inside[-5] + 20


def test_what_is_nearer_hides_what_is_behind():
    wall, behind = ((0, 0, 0), (16, 2, 16)), ((7, 12, 4), (9, 14, 6))
    both = volumes(wall)
    both |= volumes(behind)
    assert torch.equal(render(both, azimuth=0), render(volumes(wall), azimuth=0))


def test_turning_goes_all_around():
    frames = turn(volumes(((12, 6, 0), (16, 10, 16))), frames=4)
    assert frames.shape == (4, 1, 3, 96, 96)
    middles = [ink(frame[0])[2].item() for frame in frames]
    assert abs((middles[0] - 48) + (middles[2] - 48)) < 2
    assert max(middles) - min(middles) > 20
