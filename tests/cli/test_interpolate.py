"""`gantrain interpolate`: a walk as a grid, a GIF or a film."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toys import Shades


@pytest.fixture
def latents(gantrain, run):
    """Those of some samples of `run`, of class 3."""
    words = ("--class", 3, "--out", "samples", "--save-latents", "z.safetensors")
    assert gantrain("sample", "run", "-n", 4, *words).code == 0


def refused(result, *words):
    assert result.code == 2, result
    assert len(result.err.strip().splitlines()) == 1, result.err
    for word in words:
        assert word in result.err


def pixels(file):
    return np.asarray(Image.open(file).convert("L"))


def test_a_grid_with_a_leg_per_row(gantrain, latents):
    assert gantrain("interpolate", "run").out.strip() == "run/interpolation.png"
    size = Image.open("run/interpolation.png").size
    assert size[1] == 8 * (48 + 4) + 9 * 8
    words = ("interpolate", "run", "--class", 3, "--rows", 2, "--steps", 3)
    for out, options in (("a.png", ()), ("b.png", ()), ("c.png", ("--seed", 1))):
        assert gantrain(*words, "--out", out, *options).code == 0
    a, b, c = (Path(f"{name}.png").read_bytes() for name in "abc")
    assert a == b
    assert a != c
    sheet = pixels("a.png")
    left = sheet.shape[1] - 8 - (3 * 50 + 2)
    row = 48 + 4 + 8
    # the first leg ends where the second begins
    assert np.array_equal(sheet[10:58, left + 102 : left + 150], sheet[10 + row : 58 + row, left + 2 : left + 50])


def test_a_walk_through_saved_latents_begins_and_ends_with_their_pictures(gantrain, latents):
    words = ("--class", 3, "--latents", "z.safetensors:3,1", "--steps", 5)
    assert gantrain("interpolate", "run", *words, "--out", "a.png").code == 0
    sheet = pixels("a.png")
    left = sheet.shape[1] - 8 - (5 * 50 + 2)
    for column, sample in ((0, 3), (4, 1)):
        top, start = 10, left + 2 + column * 50
        assert np.array_equal(sheet[top : top + 48 : 3, start : start + 48 : 3], pixels(f"samples/{sample}.png"))


def test_an_animation_is_a_closed_walk(gantrain, latents):
    result = gantrain("interpolate", "run", "--latents", "z.safetensors", "--steps", 3, "--out", "walk.gif")
    assert result.code == 0, result
    with Image.open("walk.gif") as animation:
        assert animation.n_frames == 4 * 3
        assert animation.size == (128, 128)
        assert animation.info["loop"] == 0


def test_a_film(gantrain, latents):
    imageio = pytest.importorskip("imageio.v3")
    pytest.importorskip("imageio_ffmpeg")
    result = gantrain("interpolate", "run", "--rows", 2, "--steps", 4, "--out", "walk.mp4")
    assert result.code == 0, result
    assert imageio.imread("walk.mp4").shape == (8, 128, 128, 3)


def test_a_walk_stays_in_a_class(gantrain, run, monkeypatch):
    family = Shades()
    family.stated_in(run)
    monkeypatch.setattr("gantrain.cli.work.interpolate.latent_family", lambda *_, **options: (family, family))
    walk = ("interpolate", "run", "--rows", 6, "--steps", 3)
    assert gantrain(*walk).code == 0
    assert family.cond.tolist() == [row % 5 for row in range(6) for _ in range(3)]
    assert gantrain(*walk, "--out", "walk.gif").code == 0
    assert family.cond.tolist() == [0] * 18
    for word in ("3", "dog"):
        for out in ("a.png", "a.gif"):
            assert gantrain(*walk, "--class", word, "--out", out).code == 0
            assert family.cond.tolist() == [3] * 18


def test_mistakes(gantrain, latents, monkeypatch):
    refused(gantrain("interpolate", "run", "--out", "walk.jpg"), "--out", ".png, .gif, .mp4")
    refused(gantrain("interpolate", "run", "--steps", 1), "--steps is 1", "2 or more")
    refused(gantrain("interpolate", "run", "--rows", 0), "--rows is 0")
    refused(gantrain("interpolate", "run", "--rows", 3, "--latents", "z.safetensors"), "--rows and --latents")
    refused(gantrain("interpolate", "run", "--latents", "z.safetensors:2"), "needs two or more")
    refused(gantrain("interpolate", "run", "--latents", "nowhere"), "there is no file nowhere", "--save-latents")
    refused(gantrain("interpolate", "run", "--steps", 10**9), "too long")  # and at once
    refused(gantrain("interpolate", "run", "--rows", 10**9, "--out", "a.gif"), "too long")
    refused(gantrain("interpolate", "run", "--steps", 3334, "--latents", "z.safetensors"), "10,002 pictures")
    refused(gantrain("interpolate", "run", "--seed", 2**63), "--seed", str(2**63 - 1))
    refused(gantrain("interpolate", "run", "--class", 10), "--class is 10, this run has the classes 0 to 9")
    refused(gantrain("interpolate", "nowhere"), "nowhere is no run")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    refused(gantrain("interpolate", "run", "--out", "walk.mp4"), "pip install 'gantrain[mp4]'", ".gif")
    assert not Path("walk.mp4").exists()


def test_a_walk_between_texts_has_a_row_for_each_latent(gantrain, told):
    texts = ("--text", "a red square", "--text", "a blue circle")
    assert gantrain("interpolate", told, *texts, "--rows", 2, "--steps", 3, "--out", "a.png").code == 0
    assert gantrain("interpolate", told, *texts, "--steps", 2, "--out", "a.gif").code == 0
    assert Image.open("a.gif").size == (128, 128)
    one = gantrain("interpolate", told, "--text", "a red square", "--rows", 2, "--steps", 3, "--out", "b.png")
    assert one.code == 0
    sides = [np.array(Image.open(name)) for name in ("a.png", "b.png")]
    # Each row begins with its latent's red square; a walk between latents begins with the first of these.
    assert gantrain("sample", told, "--text", "a red square", "-n", 2, "--out", "s").code == 0
    assert gantrain("sample", told, "--text", "a blue circle", "-n", 2, "--out", "t").code == 0
    for name, place in (("s/0", 0), ("s/1", 0), ("t/0", 0), ("t/1", 0), ("s/0", 1)):
        assert stands_in(Image.open(f"{name}.png"), sides[place]), (name, place)
    refused(gantrain("interpolate", told), "--text")


def stands_in(picture, sheet):
    """Whether a picture of 32 pixels, enlarged twice, is a part of a sheet."""
    wanted = np.array(picture).repeat(2, 0).repeat(2, 1)
    views = np.lib.stride_tricks.sliding_window_view(sheet, wanted.shape)[:, :, 0]
    tops, lefts = np.nonzero((views[:, :, 0, 0] == wanted[0, 0]).all(2))
    return any((views[t, left] == wanted).all() for t, left in zip(tops, lefts, strict=True))
