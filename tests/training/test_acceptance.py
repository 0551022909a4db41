"""What networks and data must have in common before they train."""

from pathlib import Path

import pytest
from refusals import refused

from gantrain.config.stages import Stage
from gantrain.errors import UserError
from gantrain.training.acceptance import check_frozen, check_growth

TINY = ("debug=tiny", "callbacks.samples.count=4")


@pytest.mark.parametrize(
    ("experiment", "range", "fits"),
    [
        ("dcgan_digits", "[0,1]", "data.range=[-1,1]"),
        ("dcgan_digits", "[0,255]", "data.range=[-1,1]"),
        ("gan_mnist", "[0,255]", "data.range="),
        ("pix2pix_folder", "[0,1]", "data.range=[-1,1]"),
        ("cyclegan_small", "[0,255]", "data.range=[-1,1]"),
        ("srgan_photos", "[0,1]", "data.range=[-1,1]"),
        ("gan3d_furniture", "[-1,1]", "data.range=[0,1]"),
    ],
)
def test_a_range_that_the_last_layer_does_not_reach_is_refused(gantrain, experiment, range, fits):
    bare = {
        "srgan_photos": ["networks.generator.skip=false"],
        "cyclegan_small": ["networks.generator_ab.residual=false", "networks.generator_ba.residual=false"],
    }
    words = ["data.range=" + range, *bare.get(experiment, [])]
    result = gantrain(*TINY, f"experiment={experiment}", *words)
    refused(result, "data.range is [", "networks.generator", fits)


def test_an_mlp_may_end_in_the_other_function(gantrain):
    words = (*TINY, "experiment=gan_mnist", "networks.generator.output=sigmoid")
    result = gantrain(*words, "data.range=[-1,1]")
    refused(result, "ends in sigmoid", "data.range=[0,1] or networks.generator.output=tanh")
    assert gantrain(*words, "data.range=[0,1]", "hydra.run.dir=run").code == 0


@pytest.mark.parametrize("experiment", ["dcgan_digits", "gan_mnist", "acgan_mnist", "wgangp_mnist", "gan3d_furniture"])
@pytest.mark.parametrize("words", [("data.batch_size=1",), ("data.batch_size=2", "models.microbatches=2")])
def test_a_sample_at_a_time_trains_or_is_refused_in_a_sentence(gantrain, experiment, words):
    result = gantrain(*TINY, f"experiment={experiment}", *words, "hydra.run.dir=run", "callbacks.networks=null")
    if result.code:
        refused(
            result, words[-1].partition("=")[0], "samples of a batch" if "compares" in result.err else "has batch norm"
        )
        assert not Path("run").exists()


def staged(size, fade_images):
    return Stage("b", "b", {"data": {"size": size}, "models": {"fade_images": fade_images}})


def test_a_stage_fades_in_from_half_its_size_and_is_long_enough_for_it(capsys):
    check_growth(staged(16, 100), side=8, images=100)
    assert capsys.readouterr().err == ""
    check_growth(staged(16, 100), side=8, images=99)
    assert "stages.b.models.fade_images is 100, but the stage sees 99 images" in capsys.readouterr().err
    with pytest.raises(UserError, match=r"data\.size is 16, which fades in from 8, but the networks stand at 4 then"):
        check_growth(staged(16, 100), side=4, images=100)


def test_frozen_layers_must_come_from_a_run():
    ours = {"discriminator": {"_target_": "gantrain.networks.dcgan.Discriminator", "freeze": 2}}
    check_frozen(ours, "run")
    check_frozen({"discriminator": {"_target_": "mine.Discriminator", "freeze": True}}, None)
    with pytest.raises(UserError, match=r"networks\.discriminator\.freeze is 2: .* init_from=RUN"):
        check_frozen(ours, None)
