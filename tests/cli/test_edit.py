"""`gantrain edit`: samples and projected photos moved along directions."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from refusals import refused

from gantrain.cli.work import edit
from gantrain.inference.directions import factorised
from gantrain.inference.latents import latent_family
from gantrain.inference.style_files import read_directions, save_styles
from gantrain.inference.styles import moved, spread

SIDE, GAP = 56, 2  # of 28 pixels, doubled


def drawn(file, steps):
    """The pictures of each row of a sheet."""
    sheet = np.asarray(Image.open(file).convert("L"))
    left = sheet.shape[1] - 8 - steps * (SIDE + GAP)
    tops = range(10, sheet.shape[0] - SIDE, SIDE + 2 * GAP + 8)
    return [[sheet[y : y + SIDE : 2, left + i * (SIDE + GAP) :][:, :SIDE:2] for i in range(steps)] for y in tops]


def near(cell, picture):
    return abs(cell.astype(int) - picture[0].numpy()).max() <= 1


def test_factors_of_some_layers_are_drawn_saved_and_used_again(gantrain, styled):
    words = ("edit", "run", "--class", 3, "--steps", 3, "--reach", 0.5)
    result = gantrain(*words, "--rows", 2, "--layers", "0-1", "--save", "d/d.safetensors")
    assert (result.code, result.out.strip()) == (0, "run/edit.png"), result
    module, data = latent_family("run")
    style = module.styles(module.latents(1, torch.Generator().manual_seed(0)), torch.tensor([3]))[0]
    weights = module.averaged("generator").synthesis.style_weights
    directions = torch.zeros(2, module.layers, module.w_dim)
    directions[:, :2] = factorised(weights[:2], 2)[:, None]
    kept, names = read_directions("d/d.safetensors", module)
    assert torch.equal(kept, directions)
    assert names == ["factor 0", "factor 1"]
    _, far = spread(module, False)
    samples = module.generate_from(moved(style, directions, torch.tensor([-0.5, 0, 0.5]) * far).flatten(0, 1))
    pictures = data.pictures(samples).unflatten(0, (2, 3))
    for row, wanted in zip(drawn("run/edit.png", 3), pictures, strict=True):
        assert all(near(cell, picture) for cell, picture in zip(row, wanted, strict=True))

    assert gantrain(*words, "--direction", "d/d.safetensors:1", "--out", "one.png").code == 0
    (row,) = drawn("one.png", 3)
    assert all(near(cell, picture) for cell, picture in zip(row, pictures[1], strict=True))
    save_styles(style[None], Path("w.safetensors"))
    words = ("edit", "run", "--steps", 3, "--reach", 0.5, "--styles", "w.safetensors", "--out", "photo.png")
    assert gantrain(*words, "--direction", "d/d.safetensors:1").code == 0
    assert Path("photo.png").read_bytes() == Path("one.png").read_bytes()


def test_labels_give_a_direction_for_each_class_that_samples_are_of(gantrain, styled, monkeypatch):
    """Of pictures that are read by how bright they are."""

    class Reader(torch.nn.Module):
        def forward(self, pictures):
            bright = pictures.float().mean((1, 2, 3))
            return None, torch.stack([bright.median() - bright, bright - bright.median()], 1)

    monkeypatch.setattr(edit, "dataset_backbone", lambda *_: Reader())
    monkeypatch.setattr(edit, "LABELLED", 400)
    result = gantrain("edit", "run", "--labels", "--reach", 2, "--steps", 3, "--save", "d.safetensors")
    assert result.code == 0, result
    module, _ = latent_family("run")
    directions, names = read_directions("d.safetensors", module)
    assert names == ["0", "1"]
    darker, _, brighter = drawn("run/edit.png", 3)[1]
    assert brighter.mean() > darker.mean()
    assert torch.allclose(directions[0], -directions[1], atol=0.05)


def test_refused_where_nothing_can_be_told_apart(gantrain, styled, monkeypatch):
    monkeypatch.setattr(edit, "dataset_backbone", lambda *_: lambda pictures: (None, torch.eye(2)[[0] * len(pictures)]))
    monkeypatch.setattr(edit, "LABELLED", 50)
    refused(gantrain("edit", "run", "--labels"), "--labels: samples of this run are nearly all of one class")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--labels", "--direction", "d"), "directions are found or come from a file; leave one out"),
        (("--rows", "2", "--labels"), "--rows and --labels"),
        (("--rows", "0"), "--rows is 0"),
        (("--rows", "1000"), "--rows is 1000, styles of this run have"),
        (("--steps", "1"), "--steps is 1, it must be 2 or more"),
        (("--reach", "nan"), "--reach is nan"),
        (("--steps", "2000"), "a sheet of 12,000 pictures is too large"),
        (("--layers", "7"), "has the layers 0 to 5"),
        (("--styles", "w", "--class", "1"), "a style has its class already"),
        (("--styles", "w"), "there is no file w; `gantrain project"),
        (("--direction", "d"), "there is no file d; `gantrain edit RUN --save FILE`"),
        (("--out", "a.gif"), "must end in .png"),
        (("--save", "d.txt"), "--save is d.txt, but what is written is a .safetensors; name it d.safetensors"),
        (("--save", "run/networks/generator/weights.safetensors"), "--save: run/networks/generator/weights"),
    ],
)
def test_refusals(words, says, gantrain, styled):
    refused(gantrain("edit", "run", *words), says)


def test_a_style_is_one(gantrain, styled):
    module, _ = latent_family("run")
    save_styles(torch.zeros(2, module.layers, module.w_dim), Path("w.safetensors"))
    refused(gantrain("edit", "run", "--styles", "w.safetensors"), "names 2 styles; name one of them")


def test_a_run_without_styles_is_refused(gantrain, run):
    refused(gantrain("edit", "run"), "gantrain: edit: this run has no styles")
