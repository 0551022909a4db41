import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gantrain.data.formats.decode import Framing, Unreadable
from gantrain.inference.filler import Filler, parts_of, thickest


class Network(nn.Module):
    """Fills with `value` (None: with the mean colour that it is shown), and says what it was shown."""

    def __init__(self, value=1.0):
        super().__init__()
        self.one = nn.Parameter(torch.ones(1))
        self.value, self.seen = value, []

    def forward(self, cond):
        self.seen.append(cond)
        made = cond[:, :-1] if self.value is None else torch.full_like(cond[:, :-1], self.value)
        return made * self.one


def noise(size, mode="RGB", seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def box(size, left, top, width, height):
    hole = np.zeros(size[::-1], bool)
    hole[top : top + height, left : left + width] = True
    return hole


def filler(network, hole, **options):
    known = {"channels": 3, "range": (-1, 1), "size": 8, "widest": 4}
    return Filler(network, **{**known, "hole_of": lambda picture: hole, **options})


@pytest.mark.parametrize("size", [(8, 8), (5, 3), (40, 23), (300, 7)])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA", "P", "1"])
def test_all_but_the_hole_stays_to_the_byte(tmp_path, size, mode):
    picture, hole = noise(size, mode), box(size, 1, 1, 3, 2)
    picture.save(tmp_path / "a.png")
    made = filler(Network(), hole).open(tmp_path / "a.png")
    before, after = (np.asarray(p.convert("RGBA")) for p in (picture, made))
    assert (after[~hole] == before[~hole]).all()
    assert (after[hole][:, :3] == 255).all()
    assert (after[hole][:, 3] == before[hole][:, 3]).all()  # its alpha is its own


def test_grey_stays_grey_and_of_sixteen_bits(tmp_path):
    deep = np.random.default_rng(0).integers(0, 65536, (9, 8), dtype=np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    hole = box((8, 9), 2, 2, 3, 3)
    made = np.asarray(filler(Network(), hole, framing=Framing(levels=(0, 4095))).open(tmp_path / "deep.png"))
    assert made.dtype == np.uint16
    assert (made[~hole] == deep[~hole]).all()
    assert (made[hole] == 4095).all()
    noise((8, 9), "L").save(tmp_path / "grey.png")
    assert filler(Network(), hole).open(tmp_path / "grey.png").mode == "L"


def test_a_network_of_grey_pictures_fills_each_colour(tmp_path):
    picture, hole = noise((8, 8)), box((8, 8), 2, 2, 2, 2)
    picture.save(tmp_path / "a.png")
    network = Network(None)
    made = np.asarray(filler(network, hole, channels=1).open(tmp_path / "a.png"))
    assert network.seen[0].shape == (3, 2, 8, 8)
    means = np.asarray(picture)[~hole].mean(0)
    assert np.abs(made[hole] - means).max() <= 1


def test_what_is_hidden_is_not_shown(tmp_path):
    hole = box((20, 20), 4, 4, 9, 3)
    shown = []
    for seed in (0, 1):
        pixels = np.array(noise((20, 20)))
        pixels[hole] = np.array(noise((20, 20), seed=seed + 5))[hole]
        Image.fromarray(pixels).save(tmp_path / "a.png")
        for widest in (8, 2):  # at its size, and on a smaller copy
            network = Network(None)
            filler(network, hole, widest=widest).open(tmp_path / "a.png")
            shown.append(network.seen)
    for first, second in zip(shown[:2], shown[2:], strict=True):
        assert len(first) == len(second)
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_small_hole_is_in_the_middle_of_what_is_seen():
    planes, missing = torch.rand(3, 30, 40), torch.zeros(30, 40, dtype=torch.bool)
    missing[10:14, 20:23] = True
    network = Network()
    filler(network, None).filled(planes, missing)
    (seen,) = network.seen
    assert seen[0, -1].nonzero().amin(0).tolist() == [2, 3]
    assert torch.equal(seen[0, :3, 0], planes[:, 8, 17:25])


def test_at_an_edge_it_lies_beside_unless_the_network_knows_the_middle_alone():
    planes, missing = torch.rand(3, 8, 8), torch.zeros(8, 8, dtype=torch.bool)
    missing[:3, 5:] = True
    for centred, last in ((False, [2, 7]), (True, [5, 7])):
        network = Network()
        made = filler(network, None, centred=centred).filled(planes, missing)
        (seen,) = network.seen
        assert seen[0, -1].nonzero().amax(0).tolist() == last
        assert seen[0, -1].nonzero().amin(0)[1] == (3 if centred else 5)
        assert torch.equal(made[:, ~missing], planes[:, ~missing])
        assert (made[:, missing] == 1).all()


def test_long_holes_are_filled_part_by_part_and_what_is_filled_is_known():
    planes, missing = torch.zeros(3, 20, 20), torch.zeros(20, 20, dtype=torch.bool)
    missing[9:11, 2:18] = True
    network = Network()
    made = filler(network, None).filled(planes, missing)
    assert len(network.seen) == 4
    assert (made[:, missing] == 1).all()
    assert [int(seen[0, -1].sum()) for seen in network.seen] == [12, 12, 12, 8]
    assert (network.seen[1][0, :3] == 1).any()  # of the first part


def test_wide_holes_are_filled_on_a_smaller_copy(tmp_path):
    size = (64, 48)
    picture, hole = noise(size), box(size, 10, 10, 16, 20)
    picture.save(tmp_path / "a.png")
    network = Network()
    tool = filler(network, hole)
    made = np.asarray(tool.open(tmp_path / "a.png"))
    assert tool.reduced == 1
    assert (made[~hole] == np.asarray(picture)[~hole]).all()
    inner = box(size, 16, 16, 4, 8)  # at its edge the result goes over into what is around
    assert (made[inner] > 230).all()
    assert len(network.seen) <= 4
    filler(network, hole, longest=8).open(tmp_path / "a.png")
    assert network.seen[-1].shape[-1] == 8


def test_alpha_that_was_a_hole_becomes_opaque(tmp_path):
    picture = noise((8, 8), "RGBA")
    picture.putalpha(Image.fromarray(np.where(box((8, 8), 2, 2, 3, 3), 0, 200).astype(np.uint8)))
    picture.save(tmp_path / "a.png")
    hole = box((8, 8), 2, 2, 3, 3)
    made = np.asarray(filler(Network(), hole, alpha=True).open(tmp_path / "a.png"))
    assert (made[hole] == 255).all()
    assert (made[~hole] == np.asarray(picture)[~hole]).all()


def test_exif_is_kept_and_the_picture_stands_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a walk"
    noise((10, 6)).save(tmp_path / "turned.png", exif=exif)
    made = filler(Network(), box((6, 10), 1, 1, 2, 2)).open(tmp_path / "turned.png")
    assert made.size == (6, 10)
    kept = Image.Exif()
    kept.load(made.info["exif"])
    assert (kept.get(0x010E), kept.get(0x0112)) == ("a walk", None)


def test_nothing_known_is_nothing_to_go_by(tmp_path):
    noise((8, 8)).save(tmp_path / "a.png")
    with pytest.raises(Unreadable, match="all of it is missing"):
        filler(Network(), np.ones((8, 8), bool)).open(tmp_path / "a.png")


@pytest.mark.parametrize(("height", "width", "side"), [(1, 9, 1), (5, 5, 5), (3, 9, 3), (6, 8, 5)])
def test_how_thick_a_hole_is(height, width, side):
    missing = torch.zeros(10, 12, dtype=torch.bool)
    missing[:height, :width] = True  # the picture's edge is an edge of the hole
    assert thickest(missing) == side


def test_parts_cover_each_hole():
    missing = torch.zeros(30, 30, dtype=torch.bool)
    missing[2:4, 3:29] = missing[20, 20] = missing[21, 21] = True
    covered, parts = torch.zeros_like(missing), list(parts_of(missing, 10))
    for rows, columns in parts:
        assert rows.stop - rows.start <= 10
        assert columns.stop - columns.start <= 10
        covered[rows, columns] = True
    assert len(parts) == 4  # three of the line, one of the two that touch
    assert (covered | ~missing).all()
