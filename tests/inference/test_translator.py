import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gantrain.data.formats.decode import Framing, to_array
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


MODES = ["RGBA", "LA", "P", "1", "L", "RGB", "I;16"]


def transparent(mode):
    """A picture of this mode whose left half is hidden where the mode can hide, and colours lie under it."""
    picture = noise((12, 8), "RGBA", 3)
    alpha = Image.new("L", picture.size, 255)
    alpha.paste(0, (0, 0, 6, 8))
    picture.putalpha(alpha)
    if mode == "P":
        palette = picture.convert("RGB").quantize(16)
        palette.info["transparency"] = bytes([0, 255, 0] + [255] * 13)
        return palette
    if mode == "I;16":
        return Image.fromarray(np.arange(96, dtype=np.uint16).reshape(8, 12) * 600)
    if mode in ("1", "L", "RGB"):
        return picture.convert(mode)
    return picture if mode == "RGBA" else picture.convert("LA")


@pytest.mark.parametrize("background", [(255, 255, 255), (10, 20, 30)])
@pytest.mark.parametrize("mode", MODES)
def test_a_network_is_shown_what_training_showed_it(tmp_path, mode, background):
    picture, framing = transparent(mode), Framing("none", background)
    picture.save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as stored:
        trained = to_array(stored, 8, 3, framing).astype(np.float32) / 127.5 - 1
    shown = []
    network = Network()
    network.forward = lambda cond: shown.append(cond[0].numpy()) or cond
    made = translator(network, framing=framing).open(tmp_path / "a.png")
    assert np.abs(shown[0] - trained).max() < 0.01
    assert made.size == picture.size
    assert ("A" in made.mode) == picture.has_transparency_data


def test_a_cropped_training_keeps_the_aspect_and_a_squashed_one_squashes():
    for multiple, crop, seen in ((None, "centre", (8, 8)), (4, "none", (32, 32)), (4, "centre", (16, 32))):
        network = Network(multiple)
        made = translator(network, framing=Framing(crop)).translated(noise((32, 16)))
        assert network.seen == [seen]
        assert made.size == (32, 16)
    network = Network()
    network.forward = lambda cond: cond
    picture = noise((8, 4))
    assert (np.asarray(translator(network).translated(picture)) == np.asarray(picture)).all()  # neither is stretched


def test_levels_map_sixteen_bits_as_in_training(tmp_path):
    Image.fromarray(np.full((4, 6), 4095, np.uint16)).save(tmp_path / "deep.png")
    framing = Framing(levels=(0, 4095))
    assert np.asarray(translator(Network(2), framing=framing).open(tmp_path / "deep.png")).max() == 0
