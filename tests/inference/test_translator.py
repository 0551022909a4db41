import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gantrain.inference.translator import Translator


class Network(nn.Module):
    """The negative, and what sizes it was shown."""

    def __init__(self, multiple=None):
        super().__init__()
        self.one = nn.Parameter(torch.ones(1))
        self.seen = []
        if multiple is not None:
            self.multiple = multiple

    def forward(self, cond):
        self.seen.append(tuple(cond.shape[-2:]))
        return -self.one * cond


def as_it_is(picture):
    return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1) / 127.5 - 1


def translator(network, **options):
    return Translator(network, **{"condition": as_it_is, "range": (-1, 1), "size": 8, "longest": 64, **options})


def noise(size, mode="RGB", seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("size", [(1, 1), (8, 4), (13, 7), (64, 3)])
def test_sides_are_padded_to_a_multiple_and_cut_back(size):
    network = Network(4)
    picture = noise(size)
    made = translator(network).translated(picture)
    assert made.size == size
    assert (np.asarray(made) == 255 - np.asarray(picture)).all()
    assert network.seen == [tuple(-(-side // 4) * 4 for side in reversed(size))]


def test_what_is_too_long_is_made_smaller_and_large_again():
    network = Network(4)
    made = translator(network, longest=16).translated(noise((64, 33)))
    assert network.seen == [(8, 16)]
    assert made.size == (64, 33)


def test_a_network_of_one_size_is_shown_the_whole_picture_squashed():
    network = Network()
    made = translator(network).translated(noise((30, 20)))
    assert network.seen == [(8, 8)]
    assert made.size == (30, 20)


def test_only_colours_are_taken_where_the_light_is_known():
    picture = noise((30, 20), "L")
    red = translator(Network(), condition=lambda p: -torch.tensor([1.0, -1, -1]).view(3, 1, 1).expand(3, 8, 8))
    made = Translator(red.network, red.condition, (-1, 1), 8, 64, keep_light=True).translated(picture)
    grey = np.asarray(picture).astype(int)
    inside = (grey > 90) & (grey < 160)  # elsewhere so much red does not fit into 8 bits
    assert np.abs(np.asarray(made.convert("L")).astype(int) - grey)[inside].max() < 40
    red_channel, green, _ = np.asarray(made).astype(int).transpose(2, 0, 1)
    assert (red_channel - green)[inside].min() > 50


@pytest.mark.parametrize(
    ("mode", "name", "after"), [("L", "a.png", "RGB"), ("RGBA", "a.png", "RGBA"), ("LA", "a.png", "RGBA")]
)
def test_alpha_is_the_pictures_own(tmp_path, mode, name, after):
    picture = noise((9, 5), mode)
    picture.save(tmp_path / name)
    made = translator(Network(2)).open(tmp_path / name)
    assert (made.mode, made.size) == (after, (9, 5))
    if "A" in mode:
        assert (np.asarray(made.getchannel("A")) == np.asarray(picture.getchannel("A"))).all()


def test_sixteen_bits_and_exif_are_understood(tmp_path):
    Image.fromarray(np.full((4, 6), 65535, np.uint16)).save(tmp_path / "deep.png")
    assert np.asarray(translator(Network(2)).open(tmp_path / "deep.png")).max() == 0
    exif = Image.Exif()
    exif[0x0112] = 6
    noise((10, 6)).save(tmp_path / "turned.jpg", exif=exif)
    assert translator(Network(2)).open(tmp_path / "turned.jpg").size == (6, 10)
