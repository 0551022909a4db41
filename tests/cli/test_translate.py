"""A small run of pix2pix on a user's pictures; what a picture becomes is in tests/test_translate.py."""

import numpy as np
import pytest
import torch
from pictures_on_disk import write_picture
from PIL import Image

from gantrain.cli.main import main
from gantrain.inference.loaded import load

TINY = ("experiment=pix2pix_folder", "debug=tiny", "callbacks.samples.count=1", "callbacks.networks=null")


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("translate") / "run"
    assert main([*TINY, f"hydra.run.dir={folder}"]) == 0
    return folder


def test_a_drawing_of_the_trained_size_is_what_the_network_makes_of_it(run, gantrain, tmp_path):
    write_picture(tmp_path / "in.png", 3, (64, 64), "L")
    done = gantrain("translate", run, "in.png", "--out", "out", "--drawn")
    assert done.code == 0, done
    assert "1 of 1 pictures translated, in out" in done.out
    cond = torch.from_numpy(np.array(Image.open("in.png")))[None, None] / 127.5 - 1
    made = ((load(run)["generator"](cond)[0] + 1) * 127.5).round().clamp(0, 255).permute(1, 2, 0)
    assert np.abs(np.asarray(Image.open("out/in.png")) - made.numpy()).max() <= 1


def test_folders_keep_their_names_and_sizes(run, gantrain, tmp_path):
    write_picture(tmp_path / "in" / "a.png", 0, (30, 20))
    write_picture(tmp_path / "in" / "deep" / "b.jpg", 1, (70, 90), "L")
    (tmp_path / "in" / "broken.png").write_text("hello")
    done = gantrain("translate", run, "in", "--out", "out")
    assert done.code == 1
    assert "'in/broken.png': no PNG" in done.err
    assert Image.open("out/a.png").size == (30, 20)
    assert (Image.open("out/deep/b.jpg").size, Image.open("out/deep/b.jpg").mode) == ((70, 90), "RGB")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["in.png", "--to", "a"], "--to: this run goes one way only"),
        (["in.png", "--longest", "0"], "--longest is 0"),
        (["gone.png"], "there is no file or folder 'gone.png'"),
    ],
)
def test_mistakes_get_one_sentence(run, gantrain, tmp_path, words, sentence):
    write_picture(tmp_path / "in.png", 0, (8, 8))
    refused = gantrain("translate", run, "--out", "out", *words)
    assert refused.code == 2
    assert sentence in refused.err


def test_runs_of_another_kind_are_refused(gantrain, tmp_path):
    write_picture(tmp_path / "in.png", 0, (8, 8))
    assert gantrain("debug=tiny", "callbacks.networks=null", "hydra.run.dir=digits").code == 0
    assert "digits does not translate pictures" in gantrain("translate", "digits", "in.png", "--out", "out").err
    assert gantrain(*TINY, "data.condition=grey", "hydra.run.dir=grey").code == 0
    refused = gantrain("translate", "grey", "in.png", "--out", "out", "--drawn")
    assert "--drawn: grey makes pictures of no edges" in refused.err
