"""PGGAN's pair: parameter counts, how a size fades in, layers that are not in use."""

import pytest
import torch

from gantrain.networks.growing import doubled, halved
from gantrain.networks.pggan import Discriminator, Generator

SMALL = {"width": 4, "size": 16, "channels": 3, "top": 8}


def small(size=16, fade=1.0, **options):
    torch.manual_seed(0)
    generator, discriminator = Generator(6, **SMALL), Discriminator(**SMALL, **options)
    for network in (generator, discriminator):
        network.grow_to(size, fade)
    return generator, discriminator


def count(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("size", "channels", "width", "top", "z_dim", "counts"),
    [
        (1024, 3, 16, 512, 512, (23_079_115, 23_087_249)),
        (64, 3, 256, 512, 512, (22_490_383, 22_498_049)),
        (32, 3, 512, 512, 512, (20_719_628, 20_726_785)),
        (64, 3, 32, 128, 128, (1_140_079, 1_141_921)),
        (32, 3, 32, 128, 128, (844_524, 846_241)),
        (28, 1, 32, 128, 128, (1_089_187, 1_090_785)),
        (28, 1, 64, 128, 128, (1_356_739, 1_358_401)),
    ],
)
def test_numbers_of_parameters(size, channels, width, top, z_dim, counts):
    with torch.device("meta"):
        pair = Generator(z_dim, width, size, channels, top), Discriminator(width, size, channels, top)
    assert tuple(map(count, pair)) == counts


@pytest.mark.parametrize("size", [8, 16])
def test_at_fade_0_both_are_the_networks_of_the_size_before(size):
    generator, discriminator = small()
    z, x = torch.randn(4, 6), torch.randn(4, 3, size, size)
    for network in (generator, discriminator):
        network.grow_to(size // 2, 1.0)
    picture, logits = generator(z), discriminator(halved(x))
    assert picture.shape == (4, 3, size // 2, size // 2)
    for network in (generator, discriminator):
        network.grow_to(size, 0.0)
    assert torch.equal(generator(z), doubled(picture))
    assert torch.equal(discriminator(x), logits)
    for network in (generator, discriminator):
        network.grow_to(size, 0.5)
    assert not torch.allclose(generator(z), doubled(picture))
    assert not torch.allclose(discriminator(x), logits)


def test_the_older_way_gets_no_gradient_once_the_newer_has_faded_in():
    generator, discriminator = small()
    discriminator(generator(torch.randn(4, 6))).sum().backward()
    for part in (generator.to_rgb["8"], discriminator.from_rgb["8"]):
        assert all(not weight.grad.any() for weight in part.parameters())
    for part in (generator.to_rgb["16"], discriminator.from_rgb["16"]):
        assert all(weight.grad.any() for weight in part.parameters())


def test_layers_of_sizes_that_are_not_in_use_have_no_gradient():
    generator, discriminator = small(size=8, fade=0.5)
    discriminator(generator(torch.randn(4, 6))).sum().backward()
    unused = {
        name
        for network in (generator, discriminator)
        for name, weight in network.named_parameters()
        if weight.grad is None
    }
    assert {name.rsplit(".", 2)[0] for name in unused if "rgb" in name} <= {
        *("to_rgb.4", "to_rgb.16", "from_rgb.4", "from_rgb.16", "to_rgb", "from_rgb"),
    }
    assert any(name.startswith("blocks.16.") for name in unused)
    assert not any(name.startswith(("blocks.8.", "blocks.4.", "start.", "end.")) for name in unused)


def test_features_have_length_one_at_each_place():
    generator, _ = small()
    seen = {}
    generator.blocks["16"].register_forward_hook(lambda part, given, made: seen.update(maps=made))
    generator(torch.randn(2, 6))
    assert torch.allclose(seen["maps"].square().mean(1), torch.ones(2, 16, 16), atol=1e-3)


def test_a_latents_length_does_not_matter():
    generator, _ = small()
    z = torch.randn(2, 6)
    assert torch.allclose(generator(z), generator(5 * z), atol=1e-5)


def test_pictures_of_another_size_are_refused():
    with pytest.raises(ValueError, match="grown to 8 pixels"):
        small(size=8)[1](torch.zeros(2, 3, 16, 16))


@pytest.mark.parametrize("blur", [False, True])
def test_a_block_halves_and_even_maps_stay_even_within_the_border(blur):
    block = Discriminator(**SMALL, blur=blur).blocks["16"]
    made = block(torch.ones(1, 4, 16, 16))
    assert made.shape == (1, 8, 8, 8)
    assert torch.allclose(made[:, :, 2:-2, 2:-2], made[:, :, 2:3, 2:3], atol=1e-5)


def test_the_first_parts_may_stay_as_they_are():
    kept = {name for name, weight in Discriminator(**SMALL, freeze=2).named_parameters() if not weight.requires_grad}
    assert {name.partition(".")[0] + "." + name.split(".")[1] for name in kept} == {"from_rgb.16", "blocks.16"}
