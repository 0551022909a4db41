"""Runs that start from another run's networks, of pictures of another size too."""

from pathlib import Path

import pytest
import torch
from compare import newest
from refusals import refused

from gantrain.errors import UserError
from gantrain.networks import dcgan, pggan, stylegan2
from gantrain.training.transfer import fitting, parts_of, take_fitting

TINY = ("debug=tiny", "callbacks.networks=null", "callbacks.samples=null", "logger=none", "iterations=1")


def of_sizes(make, **options):
    """A network for 16 pixels and one for 32, whose width at equal sizes is the same."""
    torch.manual_seed(0)
    return make(width=8, size=16, channels=3, **options), make(width=4, size=32, channels=3, **options)


@pytest.mark.parametrize(
    ("make", "left"),
    [
        (lambda **o: stylegan2.Generator(6, mapping=2, **o), {"synthesis.blocks.3"}),
        (lambda **o: stylegan2.Discriminator(**o), {"from_rgb.0", "blocks.0"}),
        (lambda **o: pggan.Generator(6, **o), {"blocks.32", "to_rgb.32"}),
        (lambda **o: pggan.Discriminator(**o), {"from_rgb.32", "blocks.32"}),
        (lambda **o: dcgan.Discriminator(**o), {"features.0", "features.2"}),
        (lambda **o: dcgan.Discriminator(spectral=True, **o), {"features.0", "features.2"}),
    ],
)
def test_all_layers_but_those_of_the_new_size_are_taken(make, left):
    source, network = of_sizes(make)
    told = take_fitting("it", network, source, "run")
    assert set(told.partition("all but ")[2].rstrip(",").split(", ")) == left
    x = torch.randn(2, 6) if "Generator" in type(network).__name__ else torch.randn(2, 3, 16, 16)
    if isinstance(network, (pggan.Generator, pggan.Discriminator)):
        assert network.side == 16  # where the other one stood
        assert torch.equal(network.eval()(x), source.eval()(x))


def test_layers_are_counted_from_the_end_where_more_fit():
    source, network = of_sizes(stylegan2.Discriminator)
    first, last = fitting(network, source, last=False), fitting(network, source, last=True)
    assert torch.equal(last["blocks.1.first.0.weight"], source.blocks[0].first[0].weight)
    assert len(last) > len(first)


def test_networks_without_a_common_layer_are_refused():
    with pytest.raises(UserError, match=r"init_from: networks.it has no layer of the shape .* halve it"):
        take_fitting("it", dcgan.Discriminator(5, 32, 3), dcgan.Discriminator(8, 16, 3), "run")


def test_parts_are_named_as_people_count_them():
    keys = ("start.dense.weight", "start.bias", "blocks.8.1.bias", "blocks.8.2.bias", "a.b.3.c.0.w")
    assert parts_of(keys) == ["start", "blocks.8", "a.b.3"]


@pytest.fixture
def small(gantrain):
    """The words of a run of 8 pixels, which is there."""
    tops = [f"networks.{name}.top=8" for name in ("generator", "discriminator")]
    words = (*TINY, "experiment=stylegan2_mnist", "data=digits", "data.batch_size=4", "data.size=8", *tops)
    assert gantrain(*words, "hydra.run.dir=small").code == 0
    return words


def test_a_run_starts_one_of_twice_the_size_and_says_what_it_took(gantrain, small):
    twice = (*small, "networks.generator.width=4", "networks.discriminator.width=4", "data.size=16", "init_from=small")
    refused(gantrain(*twice, "networks.discriminator.freeze=1"), "from_rgb.0 would never train")
    made = gantrain(*twice, "hydra.run.dir=large")
    assert made.code == 0, made
    generator, discriminator = made.err.strip().splitlines()
    assert generator.startswith("gantrain: init_from: networks.generator of size 16 takes ")
    assert generator.endswith(f"all but synthesis.blocks.2, of the one of size 8 in {Path('small').absolute()}")
    assert "all but from_rgb.0, blocks.0, of" in discriminator
    assert gantrain("resume", "large", "iterations=2").code == 0  # which takes nothing


def test_layers_of_the_discriminator_stay_what_another_run_made_them(gantrain, small):
    freeze = (*small, "networks.discriminator.freeze=2", "hydra.run.dir=frozen")
    refused(gantrain(*freeze), "networks.discriminator.freeze is 2", "init_from=RUN")
    assert gantrain(*freeze, "init_from=small").code == 0
    theirs, ours = (newest(run)["networks"]["discriminator"] for run in ("small", "frozen"))
    same = {key.partition(".")[0] for key in theirs if torch.equal(theirs[key], ours[key])}
    moved = {key.partition(".")[0] for key in theirs if not torch.equal(theirs[key], ours[key])}
    assert same == {"from_rgb", "blocks"}
    assert moved == {"conv", "dense", "head"}
    assert gantrain("resume", "frozen", "iterations=2").code == 0


def test_growth_goes_on_in_a_run_that_starts_from_another(gantrain):
    words = ("experiment=pggan_mnist", *TINY[:-1], "models.fade_images=8", "models.ema=null")
    small = [f"networks.{name}.{key}" for name in ("generator", "discriminator") for key in ("size=14", "top=8")]
    large = [f"networks.{name}.{key}" for name in ("generator", "discriminator") for key in ("width=4", "top=8")]
    left_out = ("~stages.r14", "data.size=14")
    assert gantrain(*words, *small, *left_out, "hydra.run.dir=small").code == 0
    last = (*words, *large, "~stages.r7", "~stages.r14")
    refused(gantrain(*last), "stages.r28.models.fade_images: data.size is 28", "stand at 28", "init_from=RUN")
    grown = gantrain(*last, "init_from=small", "stages.r28.iterations=1", "hydra.run.dir=large")
    assert grown.code == 0, grown
    assert gantrain("resume", "large", "stages.r28.iterations=2").code == 0
    ours = newest("large", "r28")["networks"]["generator"]
    assert (ours["grown"], ours["fade"]) == (28, 1)  # 8 of 8 images before the second batch
