"""StyleGAN's generator: parameter counts, what a style does, growing with as many styles and noises as are in use."""

import pytest
import torch

from gantrain.networks.growing import doubled
from gantrain.networks.pggan import Discriminator
from gantrain.networks.stylegan1 import Generator, Styling

SMALL = {"width": 4, "size": 16, "channels": 3, "top": 8, "mapping": 2}


def small(size=16, fade=1.0):
    torch.manual_seed(0)
    generator = Generator(6, **SMALL)
    generator.grow_to(size, fade)
    return generator


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_numbers_of_parameters():
    with torch.device("meta"):
        paper = Generator(512, 16, 1024, 3), Discriminator(16, 1024, 3, blur=True)
        narrow = Generator(256, 32, 64, 3, top=256, mapping=4), Discriminator(32, 64, 3, 256, blur=True)
    assert tuple(map(count, paper)) == (26_219_627, 23_087_249)
    assert tuple(map(count, narrow)) == (3_379_119, 3_405_857)


def test_a_style_sets_mean_and_deviation_of_every_map():
    torch.manual_seed(0)
    layer, x, w = Styling(5, 4, 8), 3 * torch.randn(2, 5, 8, 8) + 7, torch.randn(2, 4)
    made = layer(x, w)
    scale, shift = layer.style(w).chunk(2, 1)
    assert torch.allclose(made.mean((2, 3)), shift, atol=1e-4)
    assert torch.allclose(made.std((2, 3), correction=0), (scale + 1).abs(), atol=1e-4)


def test_noise_is_added_by_each_channels_strength_and_stays_in_use():
    torch.manual_seed(0)
    layer, x, w = Styling(5, 4, 8), torch.randn(2, 5, 8, 8), torch.randn(2, 4)
    noise = torch.randn(2, 1, 8, 8)
    assert torch.equal(layer(x, w), layer(x, w, noise))  # its strength begins at 0
    with torch.no_grad():
        layer.strength[1] = 0.5
    changed = (layer(x, w) - layer(x, w, noise)).abs().amax((0, 2, 3)) > 0
    assert changed.tolist() == [False, True, False, False, False]
    assert torch.equal(layer(x, w), layer(x, w, layer.map.expand(2, -1, -1, -1)))


def test_at_fade_0_the_picture_is_that_of_the_size_before():
    generator, z = small(8), torch.randn(3, 6)
    picture = generator.eval()(z)
    assert picture.shape == (3, 3, 8, 8)
    generator.grow_to(16, 0.0)
    assert torch.equal(generator(z), doubled(picture))


@pytest.mark.parametrize(("size", "layers"), [(4, 2), (8, 4), (16, 6)])
def test_there_are_two_styles_and_two_noises_for_each_size_in_use(size, layers):
    generator = small(size)
    names = {"mix", "cut", *(f"noise{i}" for i in range(layers))}
    assert generator.layers == layers
    assert set(generator.random_inputs) == names
    assert generator.random_inputs[f"noise{layers - 1}"] == ("normal", (1, size, size))
    assert generator.styles(torch.randn(2, 6)).shape == (2, layers, 6)
    random = {name: torch.rand(2, *shape) for name, (_, shape) in generator.random_inputs.items()}
    assert generator(torch.randn(2, 6), **random).shape == (2, 3, size, size)
    assert generator.w_avg.any()


def test_a_latent_mixed_with_itself_is_itself():
    generator, z = small().eval(), torch.randn(4, 6)
    assert torch.allclose(generator(z, mix=z, cut=torch.rand(4)), generator(z), atol=1e-4)


def test_a_state_says_where_it_stands():
    generator, other = small(8, 0.25), Generator(6, **SMALL)
    other.load_state_dict(generator.state_dict())
    assert (other.side, other.fade.item()) == (8, 0.25)
