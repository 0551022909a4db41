"""`gantrain styles`, `sample --psi`, `interpolate --space w`: what people do with a space of styles."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from refusals import refused

from gantrain.cli.styles import layers_of
from gantrain.drawing.pictures import grid
from gantrain.errors import UserError
from gantrain.inference.latents import latent_family

SIDE, GAP = 56, 2  # of 28 pixels, doubled


def cells(file, columns, left=0, top=0):
    """The pictures of a grid, in rows."""
    sheet = np.asarray(Image.open(file).convert("L"))[top:, left:]
    rows = (sheet.shape[0] - GAP) // (SIDE + GAP)
    at = [GAP + i * (SIDE + GAP) for i in range(max(rows, columns))]
    return [[sheet[at[r] : at[r] + SIDE, at[c] : at[c] + SIDE] for c in range(columns)] for r in range(rows)]


def test_a_grid_of_mixtures(gantrain, styled):
    words = ("styles", "run", "--rows", 2, "--columns", 3, "--class", 4)
    result = gantrain(*words, "--layers", "0-1,3")
    assert (result.code, result.out.strip()) == (0, "run/styles.png"), result
    module, data = latent_family("run")
    styles = module.styles(module.latents(5, torch.Generator().manual_seed(0)), torch.full((5,), 4))
    (_, *top), *lines = cells("run/styles.png", 4)
    assert Image.open("run/styles.png").size == (4 * (SIDE + GAP) + GAP, 3 * (SIDE + GAP) + GAP)

    def drawn(style):
        return data.pictures(module.generate_from(style[None])).repeat_interleave(2, 2).repeat_interleave(2, 3)[0, 0]

    def near(cell, style):
        return abs(cell.astype(int) - drawn(style).numpy()).max() <= 1

    assert all(near(cell, style) for cell, style in zip(top, styles[2:], strict=True))
    for line, own in zip(lines, styles[:2], strict=True):
        assert near(line[0], own)
        for cell, lent in zip(line[1:], styles[2:], strict=True):
            mixed = own.clone()
            mixed[[0, 1, 3]] = lent[[0, 1, 3]]
            assert near(cell, mixed)
    assert gantrain(*words, "--layers", "0-5", "--out", "all.png").code == 0
    (_, *top), *lines = cells("all.png", 4)
    for line in lines:  # with all its layers lent, a row shows its columns
        assert all(abs(a.astype(int) - b).max() <= 1 for a, b in zip(line[1:], top, strict=True))


def test_psi_0_makes_one_picture(gantrain, styled):
    assert gantrain("sample", "run", "-n", 4, "--psi", 0, "--out", "mean").code == 0
    assert len({Image.open(f"mean/{i}.png").tobytes() for i in range(4)}) == 1
    for psi in ("1", "0.5"):
        assert gantrain("sample", "run", "-n", 4, "--psi", psi, "--out", f"of{psi}").code == 0
    assert gantrain("sample", "run", "-n", 4, "--out", "plain").code == 0
    for i in range(4):
        plain, whole, half = (Image.open(f"{folder}/{i}.png").tobytes() for folder in ("plain", "of1", "of0.5"))
        assert plain == whole
        assert plain != half


def test_psi_of_some_layers_draws_the_others_as_they_are(gantrain, styled):
    module, data = latent_family("run")
    z, cond = module.latents(2, torch.Generator().manual_seed(0)), torch.arange(2)
    drawn = data.pictures(module.generate_from(module.styles(z, cond, psi=0.0, cutoff=2)))
    words = ("sample", "run", "-n", 2, "--psi", 0, "--psi-cutoff")
    assert gantrain(*words, 2, "--out", "two").code == 0
    for i in range(2):
        assert abs(np.asarray(Image.open(f"two/{i}.png")).astype(int) - drawn[i, 0].numpy()).max() <= 1
    assert gantrain(*words, 6, "--out", "all").code == 0
    assert Image.open("all/0.png").tobytes() != Image.open("two/0.png").tobytes()


def test_several_psi_are_a_row_each_of_the_same_samples(gantrain, styled):
    result = gantrain("sample", "run", "-n", 3, "--psi", "1,.5,0", "--out", "sweep.png")
    assert result.code == 0, result
    width, height = Image.open("sweep.png").size
    assert height == 3 * (SIDE + 2 * GAP) + 4 * 8
    left = width - 8 - (3 * (SIDE + GAP) + GAP)
    lines = [cells("sweep.png", 3, left, 8 + i * (SIDE + 2 * GAP + 8))[0] for i in range(3)]
    assert gantrain("sample", "run", "-n", 3, "--psi", 0.5, "--out", "half.png").code == 0
    module, data = latent_family("run")
    z, cond = module.latents(3, torch.Generator().manual_seed(0)), torch.arange(3)
    for psi, line in zip((1.0, 0.5, 0.0), lines, strict=True):
        row = grid(data.pictures(module.generate_from(module.styles(z, cond, psi=psi))), 3)[0].numpy()
        for i, cell in enumerate(line):
            start = GAP + i * (SIDE + GAP)
            assert abs(cell.astype(int) - row[GAP : GAP + SIDE, start : start + SIDE]).max() <= 1
    assert gantrain("sample", "run", "--psi", "1,0").code == 0
    assert Image.open("run/samples.png").size[0] > 8 * SIDE


def test_a_walk_between_styles(gantrain, styled):
    words = ("interpolate", "run", "--rows", 2, "--steps", 3)
    assert gantrain(*words, "--out", "z.png").code == 0
    assert gantrain(*words, "--space", "w", "--out", "w.png").code == 0
    width = Image.open("w.png").size[0]
    at = [(width - 8 - (3 * (SIDE + GAP) + GAP), 8 + i * (SIDE + 2 * GAP + 8)) for i in range(2)]
    for place in at:
        z, w = (cells(file, 3, *place)[0] for file in ("z.png", "w.png"))
        for end in (0, 2):
            assert abs(z[end].astype(int) - w[end]).max() <= 1
    assert Path("z.png").read_bytes() != Path("w.png").read_bytes()
    assert gantrain(*words, "--space", "w", "--out", "w.gif").code == 0
    assert Image.open("w.gif").n_frames == 6


def test_runs_without_styles_are_refused_in_one_sentence(gantrain, run):
    refused(gantrain("sample", "run", "--psi", 0.7), "--psi: this run has no styles")
    refused(gantrain("interpolate", "run", "--space", "w"), "--space w: this run has no styles")
    refused(gantrain("styles", "run"), "gantrain: styles: this run has no styles")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("sample", "run", "--psi", "0.7x"), "--psi is '0.7x', it must be a number"),
        (("sample", "run", "--psi", "nan"), "--psi is 'nan'"),
        (("sample", "run", "--psi", "1,.5", "--out", "folder"), "must end in .png, several --psi are one picture"),
        (("sample", "run", "--psi", ".5", "--truncation", "1"), "leave one out"),
        (("sample", "run", "--psi-cutoff", "2"), "give --psi as well"),
        (("sample", "run", "--psi", ".7", "--psi-cutoff", "7"), "--psi-cutoff is 7, it must be 1 to 6, the layers"),
        (("sample", "run", "--psi", "1e30"), "--psi is '1e30', it must be a number such as 0.7"),
        (("sample", "run", "--psi", "1,0", "-n", "6000"), "--psi, -n: 2 rows of 6,000 are too large a grid"),
        (("styles", "run", "--psi", ".7", "--psi-cutoff", "0"), "--psi-cutoff is 0"),
        (("styles", "run", "--psi", "1,0"), "`gantrain sample` shows several"),
        (("styles", "run", "--layers", "4-6"), "has the layers 0 to 5"),
        (("styles", "run", "--layers", "x"), "--layers is 'x', it must be such as 0-3"),
        (("styles", "run", "--rows", "0"), "--rows is 0"),
        (("styles", "run", "--rows", "200", "--columns", "200"), "too large"),
        (("styles", "run", "--out", "a.gif"), "must end in .png"),
    ],
)
def test_options_out_of_range_are_refused(words, says, gantrain, styled):
    refused(gantrain(*words), says)


def test_layers_are_named_by_numbers_and_ranges():
    assert layers_of(None, 10) == [0, 1, 2, 3]
    assert layers_of(None, 6) == [0, 1, 2]  # all but the last would leave nothing of a row to be seen
    assert layers_of(None, 3) == layers_of(None, 2) == layers_of(None, 1) == [0]
    assert layers_of("5,0-2,1", 6) == [0, 1, 2, 5]
    with pytest.raises(UserError, match="layers 0 to 5"):
        layers_of("0-6", 6)
    for word in ("3-1", "0,3-1"):  # part of it would be left out in silence
        with pytest.raises(UserError, match="3-1 counts down; write 1-3"):
            layers_of(word, 6)
