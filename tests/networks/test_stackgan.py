"""The published sizes to the last weight; what a text does to pictures and to what is said of them."""

import pytest
import torch

from gantrain.config.build import build
from gantrain.config.compose import composed
from gantrain.config.stages import stages_of
from gantrain.networks.stackgan import Discriminator, HighGenerator, LowGenerator

# The discriminators of the book have the layer for the text in another network, which learns nothing: 131,200 more.
PUBLISHED = {
    "stackgan_birds": {
        "text": 1_814_144,
        "generator_low": 14_264_192,
        "discriminator_low": 4_029_824,
        "generator": 26_290_080,
        "discriminator": 48_603_520,
    },
    "stackgan_book": {
        "generator_low": 10_268_480,
        "discriminator_low": 3_094_785 + 131_200,
        "generator": 28_636_864,
        "discriminator": 48_472_833 + 131_200,
    },
}


@pytest.mark.parametrize("experiment", PUBLISHED)
def test_the_published_sizes(experiment):
    networks = stages_of(composed([f"experiment={experiment}"], None))[-1].config["networks"]
    with torch.device("meta"):
        counts = {
            name: sum(weight.numel() for weight in build(networks[name], name).parameters())
            for name in PUBLISHED[experiment]
        }
    assert counts == PUBLISHED[experiment]


def test_a_condition_without_deviation_is_its_mean():
    generator = LowGenerator(3, 4, 5, width=2, size=16, channels=1)
    with torch.no_grad():
        generator.augmentation.layers[0].weight.zero_()
        generator.augmentation.layers[0].bias.copy_(torch.tensor([1.0, 2, 3, 4, 0, 0, 0, 0]))
    eps = torch.randn(2, 4)
    assert torch.equal(generator.condition(torch.randn(2, 5), eps), torch.tensor([1.0, 2, 3, 4]) + eps)


@pytest.mark.parametrize("options", [{}, {"last_up": False, "stem_norm": False}, {"residual": True}])
def test_a_text_decides_what_is_made(options):
    generator = LowGenerator(3, 4, 5, width=4, size=16, channels=3, init="torch", **options).eval()
    z, text, eps = torch.randn(2, 3), torch.randn(2, 5), torch.randn(2, 4)
    made = generator(z, text, eps)
    assert made.shape == (2, 3, 16, 16)
    for other in ((z, text + 1, eps), (z, text, eps + 1), (z + 1, text, eps)):
        assert not torch.allclose(generator(*other), made)


def test_stage_two_doubles_what_it_is_given():
    generator = HighGenerator(4, 5, width=2, low=16, size=64, channels=3, residuals=1)
    made = generator(torch.randn(2, 3, 16, 16), torch.randn(2, 5), torch.randn(2, 4))
    assert made.shape == (2, 3, 64, 64)


@pytest.mark.parametrize("options", [{"head": "dense"}, {"residual": True, "top": 2}, {"norm": "none"}])
def test_the_text_has_a_layer_of_its_own_in_the_discriminator(options):
    discriminator = Discriminator(5, width=4, size=32, channels=3, text_dim=6, **options)
    logits = discriminator(torch.randn(3, 3, 32, 32), torch.randn(3, 5))
    assert logits.shape == (3,)
    logits.sum().backward()
    assert discriminator.text[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("network", "options", "named"),
    [
        (LowGenerator, {"z_dim": 3, "cond_dim": 4, "size": 24}, "size is 24"),
        (HighGenerator, {"cond_dim": 4, "low": 16, "size": 40}, "size 40"),
        (HighGenerator, {"cond_dim": 4, "low": 8, "size": 32}, "low is 8"),
        (Discriminator, {"size": 20}, "size is 20"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(network, options, named):
    with pytest.raises(ValueError, match=named):
        network(text=5, width=2, channels=3, **options)
