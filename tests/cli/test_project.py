"""`gantrain project`, and walks between what it found."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from refusals import refused

from gantrain.inference import projector
from gantrain.inference.latents import latent_family
from gantrain.inference.style_files import read_styles

QUICK = ("--steps", 2)


@pytest.fixture
def photos():
    noise = np.random.default_rng(0).integers(0, 256, (3, 28, 36), dtype=np.uint8)
    Path("photos").mkdir()
    for name, pixels in zip("abc", noise, strict=True):
        Image.fromarray(pixels).save(f"photos/{name}.png")
    return noise


def test_photos_to_styles_and_on_from_where_it_stopped(gantrain, styled, photos, monkeypatch):
    words = ("project", "run", "photos", "--out", "out", *QUICK)
    search, calls = projector.StyleProjection.__call__, []

    def stopped(self, photo):
        calls.append(photo)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return search(self, photo)

    monkeypatch.setattr(projector.StyleProjection, "__call__", stopped)
    assert gantrain(*words).code == 130
    assert sorted(file.name for file in Path("out").iterdir()) == ["a.png", "a.safetensors"]
    first = Path("out/a.safetensors").read_bytes()
    Path("photos/d.png").write_text("no picture")
    result = gantrain(*words)
    assert result.code == 1, result
    assert len(calls) == 4
    assert "1 of 4 pictures were projected before" in result.err
    assert "'photos/d.png': no PNG" in result.err
    assert "2 of 3 pictures projected, in out" in result.out
    assert "compared by the run's discriminator and pixels: they differ " in result.out
    assert Path("out/a.safetensors").read_bytes() == first
    Path("photos/d.png").unlink()
    assert gantrain(*words).code == 0
    assert len(calls) == 4

    refused(gantrain(*words[:-1], 3), "in the place of out/a.png and 2 more lies what is not of this photo, run and")
    assert gantrain(*words[:-1], 3, "--force").code == 0
    assert len(calls) == 7
    assert Path("out/a.safetensors").read_bytes() != first
    Path("out/b.png").unlink()  # stopped between its two files
    assert gantrain(*words[:-1], 3).code == 0
    assert Path("out/b.png").exists()
    Path("out/b.safetensors").unlink()
    refused(gantrain(*words[:-1], 3), "in the place of out/b.png lies")

    module, data = latent_family("run")
    style, _, said = read_styles("out/a.safetensors", module)
    assert style.shape == (1, module.layers, module.w_dim)
    assert set(said) == {"of", "distance", "distance_of_mean"}
    sheet = np.asarray(Image.open("out/a.png"))[2:58, :].astype(int)
    photo, made, difference = (sheet[::2, 2 + i * 58 : 58 + i * 58 : 2] for i in range(3))
    assert (photo == photos[0, :, 4:32]).all()  # cut as training cuts
    assert abs(made - data.pictures(module.generate_from(style))[0, 0].numpy()).max() <= 1
    assert (difference == abs(photo - made)).all()


def test_a_photo_that_the_mean_style_makes_and_a_run_of_broken_numbers(gantrain, styled, photos, monkeypatch):
    words = ("project", "run", "photos/a.png", "--out", "out", *QUICK)
    monkeypatch.setattr(projector.StyleProjection, "apart", lambda *_: float("nan"))
    refused(gantrain(*words), "photos/a.png: no style was found", "try --best")
    assert not Path("out").exists()
    monkeypatch.setattr(projector.StyleProjection, "apart", lambda *_: 0.0)
    for _ in range(2):
        result = gantrain(*words)
        assert result.code == 0, result
        assert "they differ 1.00 times as much" in result.out
    assert "1 of 1 pictures were projected before" in result.err


def test_a_walk_between_two_photos(gantrain, styled, photos):
    assert gantrain("project", "run", "photos/a.png", "photos/b.png", "--out", "out", *QUICK, "--space", "w+").code == 0
    words = ("interpolate", "run", "--styles", "out/a.safetensors", "out/b.safetensors", "--steps", 3)
    assert gantrain(*words, "--out", "walk.png").code == 0
    module, data = latent_family("run")
    ends = [read_styles(f"out/{name}.safetensors", module)[0] for name in "ab"]
    assert not torch.equal(ends[0][:, 0], ends[0][:, 1])
    pictures = data.pictures(module.generate_from(torch.cat([ends[0], sum(ends) / 2, ends[1]])))
    sheet = np.asarray(Image.open("walk.png").convert("L"))
    drawn = sheet[10:66:2, sheet.shape[1] - 8 - 3 * 58 :]
    for i, picture in enumerate(pictures):
        assert abs(drawn[:, i * 58 : i * 58 + 56 : 2].astype(int) - picture[0].numpy()).max() <= 1
    assert gantrain(*words, "--out", "walk.gif").code == 0
    assert Image.open("walk.gif").n_frames == 6
    refused(gantrain(*words[:4]), "out/a.safetensors holds one style; a walk needs two or more")
    refused(gantrain(*words, "--rows", 2), "--rows and --styles: the file says")
    refused(gantrain(*words, "--class", 2), "styles have their class already")
    refused(gantrain(*words, "--latents", "z"), "a walk is through one of them")


def test_what_cannot_be_projected_is_refused_and_writes_nothing(gantrain, run, photos):
    words = ("project", "run", "photos", "--out", "out")
    refused(gantrain(*words), "gantrain: project: this run has no styles")
    refused(gantrain(*words, "--steps", 0), "--steps is 0")
    refused(gantrain(*words, "--steps", 10**20), "it must be from 1 to 1,000,000")
    refused(gantrain("project", "run", "photos/a.png", "--out", "photos"), "would be overwritten")
    refused(gantrain("interpolate", "run", "--styles", "a", "b"), "--styles: this run has no styles")
    assert not Path("out").exists()


def test_without_a_discriminator_a_vgg_is_asked_for(gantrain, styled, photos):
    for file in Path("run/checkpoints").rglob("*.ckpt"):
        file.unlink()
    words = ("project", "run", "photos", "--out", "out", *QUICK)
    refused(gantrain(*words), "has no checkpoint, and so no discriminator that compares pictures; add --vgg FILE")
    refused(gantrain(*words, "--vgg", "none"), "--vgg: there is no file none")
