"""A trained run in Python."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gantrain as package
from gantrain.data.formats.decode import Unreadable
from gantrain.errors import UserError
from gantrain.inference.loaded import alike
from gantrain.networks.labels import class_of_latent
from gantrain.run.exports import load_network


def test_a_seed_is_that_of_the_program(run, gantrain):
    loaded = package.load("run")
    assert (loaded.size, loaded.channels, loaded.range, loaded.scale) == (16, 1, (-1, 1), None)
    assert not loaded["generator"].training
    made = loaded.generate(3, seed=5, arrays=True)
    assert gantrain("sample", "run", "-n", "3", "--seed", "5", "--out", "new").code == 0
    assert np.array_equal(made, [np.asarray(Image.open(file)) for file in sorted(Path("new").iterdir())])
    assert np.array_equal(made[1], np.asarray(loaded.generate(3, seed=5)[1]))
    with pytest.raises(UserError, match="this run does not enlarge pictures; it is for arithmetic"):
        loaded.upscale(Image.new("L", (8, 8)))


def test_a_generator_of_latents_alone_draws_all_classes(run):
    loaded = package.load("run")
    generator, z = loaded["generator"], torch.randn(16, 64, generator=torch.Generator().manual_seed(0))
    images = generator(z)
    assert images.shape == (16, 1, 16, 16)
    classes = class_of_latent(z, 10)
    assert len(classes.unique()) > 5
    assert torch.equal(images, generator(z, classes))
    assert torch.allclose(images[3:4], generator(z[3:4]), atol=1e-6)  # whatever it is made beside
    assert torch.equal(load_network("run/networks/generator")(z), images)


def test_a_run_without_classes_takes_none(gantrain):
    assert gantrain("debug=tiny", "models=latent", "callbacks.samples=null", "hydra.run.dir=run").code == 0
    loaded = package.load("run")
    assert loaded["generator"](torch.randn(2, 64)).shape == (2, 1, 16, 16)
    with pytest.raises(UserError, match="of no class"):
        loaded.generate(1, classes=0)


def test_classes_by_number_and_name(styled):
    loaded = package.load("run")
    assert loaded.classes == 10
    loaded.class_names = [f"digit {number}" for number in range(10)]
    one = loaded.generate(2, classes=3, arrays=True)
    assert np.array_equal(one, loaded.generate(2, classes=["digit 3", 3], arrays=True))
    for wrong, said in ((10, "there are 0 to 9"), ("digit 33", "did you mean"), ([1], "1 for 2 samples")):
        with pytest.raises(UserError, match=said):
            loaded.generate(2, classes=wrong)


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3)])
def test_what_is_given_comes_back_in_kind(shape):
    def larger(picture):
        return picture.resize((2 * picture.width, 2 * picture.height))

    pixels = np.zeros(shape, np.uint8)
    assert alike(larger, pixels).shape == (8, 12, *shape[2:])
    assert alike(larger, Image.fromarray(pixels)).size == (12, 8)
    with pytest.raises(UserError, match="image is float64"):
        alike(larger, pixels / 255)


def test_a_picture_that_cannot_be_used_is_refused():
    def too_large(picture):
        raise Unreadable("too many pixels")

    for image in (np.zeros((4, 6), np.uint8), Image.new("L", (6, 4))):
        with pytest.raises(UserError, match="image: too many pixels"):
            alike(too_large, image)


def test_a_run_of_texts_needs_texts(told):
    with pytest.raises(UserError, match="of texts; use `gantrain sample`"):
        package.load("run").generate()
