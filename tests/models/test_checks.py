"""What is refused before anything is written."""

import pytest
import torch
from torch import nn
from toys import Discriminator, Generator, game, player

from gantrain.errors import UserError
from gantrain.losses.adversarial import Wasserstein
from gantrain.losses.penalties import DRAGAN, R1, HistoricalAveraging
from gantrain.losses.reconstruction import PixelMSE
from gantrain.models.adversary import check_bounded
from gantrain.models.base import GANModule
from gantrain.models.checks import check_minibatch, check_norms, check_packs, check_penalties, tried, z_dim_of
from gantrain.models.latent import LatentGAN
from gantrain.models.paired import PairedGAN
from gantrain.models.players import PlaysWhen
from gantrain.networks import dcgan, resnet, unet
from gantrain.networks.minibatch import MinibatchDeviation, MinibatchDiscrimination


@pytest.mark.parametrize(
    ("network", "inputs", "says"),
    [
        (nn.Linear(3, 2), [torch.zeros(1, 4)], r"networks\.generator does not take \(4,\) \(.*mat1 and mat2"),
        (Generator(), [torch.zeros(1, 3), torch.zeros(1).long()], r"\(3,\) with class numbers \(.*positional argument"),
        (nn.Embedding(3, 2), [torch.tensor([7])], "does not take class numbers"),
        (nn.BatchNorm1d(3), [torch.zeros(1, 3, 2, 2)], r"\(3, 2, 2\) \(expected 2D or 3D"),
    ],
)
def test_what_a_network_does_not_take_is_one_sentence_with_the_way_out(network, inputs, says):
    with pytest.raises(UserError, match=says + ".*: change it$"):
        tried("generator", network, *inputs, way_out="change it")
    assert network.training


def test_a_class_conditional_game_needs_networks_that_take_classes():
    data = {"real": torch.zeros(2, 4), "cond": torch.tensor([0, 1])}
    with pytest.raises(UserError, match=r"networks\.generator does not take .* with class numbers"):
        game(classes=3).check(data)


def test_a_generator_of_latents_says_how_many():
    assert z_dim_of(Generator(z_dim=3)) == 3
    with pytest.raises(UserError, match=r"networks\.generator has no z_dim"):
        game(networks={"generator": nn.Linear(3, 4), "discriminator": Discriminator()}).check(
            {"real": torch.zeros(2, 4)}
        )


def test_players_that_a_family_does_not_know():
    networks = {"generator": Generator(), "discriminator": Discriminator()}
    with pytest.raises(UserError, match=r"models\.players\.critic: .* this family has discriminator, generator"):
        LatentGAN(networks=networks, players={"critic": player("discriminator")}, adversarial=Wasserstein())


def test_statistics_that_a_player_does_not_measure():
    wasserstein = {"adversarial": Wasserstein()}
    game(discriminator=player("discriminator", plays_when=PlaysWhen("distance", 1.0)), **wasserstein)
    with pytest.raises(UserError, match=r"plays_when\.statistic: 'accuracy'.* distance, fake_logit, real_logit"):
        game(discriminator=player("discriminator", plays_when=PlaysWhen("accuracy", 0.8)), **wasserstein)
    with pytest.raises(UserError, match=r"players\.generator\.plays_when.*this player measures none"):
        game(generator=player("generator", plays_when=PlaysWhen("accuracy", 0.8)))


def test_a_family_that_states_no_players_has_any():
    networks = {"student": nn.Linear(2, 2)}
    GANModule(networks, {"pupil": player("student", plays_when=PlaysWhen("distance", 1.0))})


def paired(discriminator, **options):
    return PairedGAN(
        networks={"generator": nn.Conv2d(2, 3, 1), "discriminator": discriminator},
        players={"discriminator": player("discriminator"), "generator": player("generator")},
        content=PixelMSE(),
        adversarial=Wasserstein(),
        **options,
    )


def test_penalties_refuse_batch_norm_in_every_family():
    normed = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 1))
    paired(normed)
    with pytest.raises(UserError, match=r"losses\.penalties\.r1 with batch norm in networks\.discriminator.*norm=inst"):
        paired(normed, penalties={"r1": R1(1.0)})
    paired(nn.Sequential(nn.Conv2d(3, 4, 1), MinibatchDeviation(4)), penalties={"r1": R1(1.0)})


def test_penalties_on_weights_ask_nothing_of_batch_norm_and_bound_no_critic():
    normed = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 1))
    alone = paired(normed, penalties={"history": HistoricalAveraging(1.0)})
    with pytest.raises(UserError, match="nothing bounds the slope"):
        check_bounded(alone, Wasserstein(), "discriminator")


def test_a_network_that_compares_samples_needs_two_in_a_pass():
    networks = {"discriminator": nn.Sequential(nn.Linear(2, 3), MinibatchDiscrimination(3))}
    check_minibatch(networks, 2)
    with pytest.raises(UserError, match=r"networks\.discriminator\.minibatch=null"):
        check_minibatch(networks, 1)


def test_penalties_that_nobody_pays_are_refused():
    generator = {"networks": {"generator": nn.Conv2d(2, 3, 1)}, "players": {"generator": player("generator")}}
    with pytest.raises(
        UserError, match=r"losses\.penalties\.r1: there is no player 'discriminator'.*\.of= names another \(generator\)"
    ):
        PairedGAN(**generator, content=PixelMSE(), penalties={"r1": R1(1.0)})
    check_penalties({}, {}, {})


def test_what_looks_around_real_samples_is_of_who_gets_them():
    game(penalties={"dragan": DRAGAN(weight=1.0)})
    with pytest.raises(UserError, match=r"penalties\.dragan\.of is generator: DRAGAN looks around real samples"):
        game(penalties={"dragan": DRAGAN(weight=1.0, of="generator")})


def test_a_critic_of_wasserstein_needs_a_bound_beside_a_content_loss_too():
    data = {"real": torch.zeros(2, 3, 4, 4), "cond": torch.zeros(2, 2, 4, 4)}
    paired(nn.Conv2d(3, 1, 1), penalties={"r1": R1(1.0)}).check(data)
    with pytest.raises(UserError, match=r"nothing bounds the slope of networks\.discriminator"):
        paired(nn.Conv2d(3, 1, 1)).check(data)


@pytest.mark.parametrize(
    "made", [lambda norm: unet.Generator(2, 8, 3, 3, norm=norm), lambda norm: resnet.Generator(2, 3, 3, 1, norm=norm)]
)
def test_a_generator_with_batch_norm_wants_more_than_one_picture(made):
    check_norms({"generator": made("batch")}, 2)
    check_norms({"generator": made("instance")}, 1)
    with pytest.raises(UserError, match=r"networks\.generator\.norm=instance, or a larger data\.batch_size"):
        check_norms({"generator": made("batch")}, 1)


def test_a_pass_divides_into_packs():
    judge = dcgan.Discriminator(4, 8, 1, pack=2)
    check_packs({"discriminator": judge, "generator": Generator()}, 6)
    with pytest.raises(UserError, match=r"networks\.discriminator\.pack is 2, and a pass of 7 pictures does not"):
        check_packs({"discriminator": judge}, 7)
