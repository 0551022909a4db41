"""Networks that grow with the data of a stage, and what real pictures look like beside them."""

import pytest
import torch
from toys import Discriminator as Plain
from toys import Generator as PlainGenerator
from toys import game

from gantrain.errors import UserError
from gantrain.losses.adversarial import Wasserstein
from gantrain.losses.drift import Drift
from gantrain.losses.penalties import GradientPenalty
from gantrain.models.growth import Growth
from gantrain.models.loop.ema import EMA
from gantrain.networks.growing import doubled, halved
from gantrain.networks.pggan import Discriminator, Generator

SMALL = {"width": 2, "size": 16, "channels": 1, "top": 4}


class Alone:
    """What a family asks of its trainer to draw."""

    world_size, global_rank, precision_plugin = 1, 0, None


def grown(size, fade_images, **options):
    torch.manual_seed(0)
    networks = {"generator": Generator(3, **SMALL), "discriminator": Discriminator(**SMALL)}
    module = game(networks=networks, fade_images=fade_images, **options)
    module._trainer = Alone()
    module.check({"real": torch.zeros(2, 1, size, size)})
    module.begin_stage()
    return module


def test_the_fade_is_the_share_of_images_seen_and_ends_at_1():
    growth = Growth({}, 600)
    assert [growth.fade(images) for images in (0, 1, 150, 600, 10**9)] == [0, 1 / 600, 0.25, 1, 1]
    assert Growth({}, None).fade(0) == 1
    with pytest.raises(ValueError, match="fade_images is 0"):
        Growth({}, 0)


def test_a_stage_begins_at_fade_0_and_averages_with_it():
    module = grown(8, 40, ema=EMA(["generator"], 10))
    sides = [network.side for network in (*module.networks.values(), module.ema.copies["generator"])]
    assert sides == [8, 8, 8]
    assert module.ema.copies["generator"].fade == 0
    module.images_seen = 10
    module.draw({"real": torch.zeros(2, 1, 8, 8)})
    assert [network.fade.item() for network in module.networks.values()] == [0.25, 0.25]
    module.ema.update(module.networks, 0.5)
    assert module.ema.copies["generator"].fade == 0.25


def test_real_pictures_fade_as_fakes_do_in_all_that_the_game_looks_at():
    module, real = grown(8, 40), torch.randn(4, 1, 8, 8)
    module.images_seen = 10
    drawn = {"real": real} | module.draw({"real": real})
    expected = 0.75 * doubled(halved(real)) + 0.25 * real
    assert torch.allclose(drawn["real"], expected)
    assert torch.allclose(module.judged("real", real, {"real": real}), module.judge(expected).logits)
    assert torch.equal(module.seen("real", {"real": real}), real)  # what fades in is no augmentation
    fakes = module.shared(drawn, [])
    assert torch.equal(module.penalised("discriminator", drawn, fakes)[""].real, drawn["real"])
    _, stats = module.losses("discriminator", drawn, fakes)
    assert stats["fade"].item() == 0.25


def test_without_a_fade_real_pictures_are_as_they_are():
    module, real = grown(8, None), torch.randn(4, 1, 8, 8)
    drawn = module.draw({"real": real})
    assert "real" not in drawn
    assert torch.equal(module.seen("real", {"real": real}), real)
    assert "fade" not in module.losses("discriminator", {"real": real} | drawn, module.shared(drawn, []))[1]


def test_drift_is_paid_for_real_logits_alone():
    bounded = {"gp": GradientPenalty(10.0)}
    module, real = (
        grown(8, None, adversarial=Wasserstein(), drift=Drift(0.5), penalties=bounded),
        torch.randn(4, 1, 8, 8),
    )
    batch = {"real": real} | module.draw({"real": real})
    terms, _ = module.losses("discriminator", batch, module.shared(batch, []))
    assert terms["drift"].item() == pytest.approx(0.5 * module.judge(real).logits.square().mean().item())
    assert "drift" not in module.losses("generator", batch, module.shared(batch, ["generator"]))[0]


def test_sizes_and_networks_that_do_not_grow_are_refused():
    with pytest.raises(UserError, match=r"networks.generator does not take data.size=12: it grows through 4, 8, 16"):
        grown(12, None)
    growth = Growth({"generator": PlainGenerator(), "discriminator": Plain()}, 10)
    with pytest.raises(UserError, match=r"models.fade_images: none of the networks grows"):
        growth.check(8)
