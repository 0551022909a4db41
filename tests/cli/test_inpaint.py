"""A small run on a user's pictures; what a picture becomes is in tests/inference/test_filler.py."""

import numpy as np
import pytest
from pictures_on_disk import write_picture
from PIL import Image

from gantrain.cli.main import main

TINY = ("experiment=inpaint_folder", "debug=tiny", "callbacks.samples=null", "callbacks.networks=null")


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inpaint") / "run"
    assert main([*TINY, f"hydra.run.dir={folder}"]) == 0
    return folder


def write_mask(file, size, box, grey=255):
    mask = Image.new("L", size)
    mask.paste(grey, box)
    mask.save(file)
    return np.asarray(mask) > 127


def test_known_pixels_stay_to_the_byte_and_others_change(run, gantrain, tmp_path):
    write_picture(tmp_path / "in" / "a.jpg", 1, (90, 70))
    write_picture(tmp_path / "in" / "deep" / "b.png", 2, (90, 70), "L")
    hole = write_mask(tmp_path / "mask.png", (90, 70), (20, 10, 45, 33))
    done = gantrain("inpaint", run, "in", "--mask", "mask.png", "--out", "out")
    assert done.code == 0, done
    assert "2 of 2 pictures filled, in out" in done.out
    assert done.err == ""
    for before, after in (("in/a.jpg", "out/a.png"), ("in/deep/b.png", "out/deep/b.png")):
        before, after = (np.asarray(Image.open(file)) for file in (before, after))
        assert (before[~hole] == after[~hole]).all()
        assert (before[hole] != after[hole]).mean() > 0.9


def test_a_box_and_alpha_say_the_same_as_a_mask(run, gantrain, tmp_path):
    write_picture(tmp_path / "a.png", 1, (64, 64))
    hole = write_mask(tmp_path / "mask.png", (64, 64), (20, 10, 40, 30))
    picture = Image.open(tmp_path / "a.png")
    picture.putalpha(Image.fromarray(np.where(hole, 0, 255).astype(np.uint8)))
    picture.save(tmp_path / "through.png")
    for words in (["a.png", "--mask", "mask.png"], ["a.png", "--hole", "20,10,20,20"], ["through.png", "--alpha"]):
        done = gantrain("inpaint", run, *words, "--out", "out", "--force")
        assert done.code == 0, done
        made = np.asarray(Image.open(tmp_path / "out" / words[0]).convert("RGBA"))
        assert (made[..., 3] == 255).all()
        if words[0] == "a.png":
            first = made
        assert (made[~hole] == first[~hole]).all()
    assert np.abs(made[hole].astype(int) - first[hole]).max() <= 1


def test_grey_masks_and_wide_holes_are_told(run, gantrain, tmp_path):
    write_picture(tmp_path / "a.png", 1, (120, 100))
    write_mask(tmp_path / "mask.png", (120, 100), (10, 10, 80, 80), grey=130)
    done = gantrain("inpaint", run, "a.png", "--mask", "mask.png", "--out", "out")
    assert done.code == 0
    assert "'mask.png' is grey in places: over 127 is missing" in done.err
    assert "1 have holes wider than the 32 pixels that the run has learnt" in done.err


def test_a_mask_of_another_size_is_stretched_without_grey_and_that_is_told_once(run, gantrain, tmp_path):
    for name in ("a", "b"):
        write_picture(tmp_path / "in" / f"{name}.png", ord(name), (60, 40))
    write_mask(tmp_path / "small.png", (6, 8), (1, 2, 3, 4))
    done = gantrain("inpaint", run, "in", "--mask", "small.png", "--out", "out")
    assert done.code == 0, done
    assert done.err == "gantrain: --mask: 'small.png' is 6x8 pixels, and stretched to pictures of 60x40\n"
    before, after = (np.asarray(Image.open(file)) for file in ("in/a.png", "out/a.png"))
    changed = (before != after).any(2)
    assert changed[10:20, 10:30].mean() > 0.9
    changed[10:20, 10:30] = False
    assert not changed.any()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "say by one of --mask, --hole and --alpha what is missing"),
        (["--hole", "1,1,2,2", "--alpha"], "what is missing, not --hole and --alpha"),
        (["--hole", "1,1,2"], "--hole is '1,1,2', it must be left,top,width,height"),
        (["--hole", "1,1,0,2"], "--hole is '1,1,0,2', 0x2 pixels: nothing is missing"),
        (["--mask", "black.png"], "'black.png' has no white pixel, so nothing is missing"),
        (["--mask", "gone.png"], "--mask: 'gone.png': cannot be opened"),
        (["--hole", "1,1,2,2", "--longest", "0"], "--longest is 0"),
    ],
)
def test_mistakes_get_one_sentence(run, gantrain, tmp_path, words, sentence):
    write_picture(tmp_path / "in.png", 0, (8, 8))
    write_mask(tmp_path / "black.png", (8, 8), (0, 0, 8, 8), grey=0)
    refused = gantrain("inpaint", run, "in.png", "--out", "out", *words)
    assert refused.code == 2
    assert sentence in refused.err
    assert len(refused.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--hole", "5,5,4,1"], "'in.png': --hole 5,5,4,1 reaches beyond the picture's 8x8 pixels"),
        (["--hole", "0,0,8,8"], "'in.png': all of it is missing"),
        (["--mask", "dot.png"], "'in.png': of the mask's 64x64 pixels no white one is left at 8x8"),
        (["--alpha"], "'in.png': it has no transparency"),
    ],
)
def test_pictures_that_do_not_fit_are_named(run, gantrain, tmp_path, words, sentence):
    write_picture(tmp_path / "in.png", 0, (8, 8))
    write_mask(tmp_path / "dot.png", (64, 64), (1, 1, 2, 2))
    refused = gantrain("inpaint", run, "in.png", "--out", "out", *words)
    assert refused.code == 1
    assert sentence in refused.err
    assert len(refused.err.splitlines()) == 1
    assert not (tmp_path / "out" / "in.png").exists()


def test_alpha_without_a_transparent_pixel_is_no_hole(run, gantrain, tmp_path):
    picture = Image.open(write_picture(tmp_path / "in.png", 0, (8, 8)))
    picture.putalpha(200)
    picture.save(tmp_path / "in.png")
    assert "none of its pixels is transparent" in gantrain("inpaint", run, "in.png", "--alpha", "--out", "out").err


def test_runs_of_another_kind_are_refused_or_optimised(run, gantrain, tmp_path):
    write_picture(tmp_path / "in.png", 0, (8, 8))
    assert gantrain("debug=tiny", "callbacks.networks=null", "hydra.run.dir=digits").code == 0
    words = ("in.png", "--hole", "1,1,2,2", "--out", "out")
    assert "digits has not learnt to fill holes; add --optimise" in gantrain("inpaint", "digits", *words).err
    optimised = gantrain("inpaint", "digits", *words, "--optimise")
    assert optimised.code == 0, optimised
    before, after = (np.asarray(Image.open(file)) for file in ("in.png", "out/in.png"))
    changed = (before != after).any(2)
    assert changed[1:3, 1:3].any()
    changed[1:3, 1:3] = False
    assert not changed.any()
    assert "--optimise: " in gantrain("inpaint", run, *words, "--optimise", "--force").err
    assert gantrain("experiment=cyclegan_small", "debug=tiny", "hydra.run.dir=cycle").code == 0
    assert "name a run of an experiment such as inpaint_folder" in gantrain("inpaint", "cycle", *words, "--force").err
