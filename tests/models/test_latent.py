"""The latent family."""

import pytest
import torch
from toys import Discriminator, Generator, game, play, player

from gantrain.errors import UserError


def test_the_same_latents_the_same_pictures_in_any_chunks():
    module = game()
    z = module.latents(7, torch.Generator().manual_seed(1))
    assert z.shape == (7, 3)
    assert torch.allclose(module.generate(z), module.generate(z, chunk=2), atol=1e-6)


def test_noise_has_unit_variance_or_the_deviation_asked_for():
    z = game().latents(100_000, torch.Generator().manual_seed(0))
    assert z.std().item() == pytest.approx(1.0, abs=0.01)
    z = game(z_std=0.33).latents(100_000, torch.Generator().manual_seed(0))
    assert z.std().item() == pytest.approx(0.33, abs=0.01)


def test_generating_keeps_mode_and_buffers():
    module = game()
    module.networks["generator"].train()
    module.generate(torch.zeros(2, 3))
    assert module.networks["generator"].training


def test_first_losses_of_an_untrained_pair():
    module = play(game(), 1)
    first = module.meters.pop()
    assert first["discriminator/adv"] / 2 == pytest.approx(0.69, abs=0.1)
    assert first["generator/adv"] == pytest.approx(0.7, abs=0.1)


def test_shapes_are_checked_against_the_data():
    with pytest.raises(UserError, match=r"makes \(5,\) but data gives \(4,\)"):
        game(networks={"generator": Generator(features=5), "discriminator": Discriminator()}).check(
            {"real": torch.zeros(2, 4)}
        )
    with pytest.raises(UserError, match=r"networks\.discriminator does not take \(4,\)"):
        game(networks={"generator": Generator(), "discriminator": Discriminator(features=5)}).check(
            {"real": torch.zeros(2, 4)}
        )
    game().check({"real": torch.zeros(2, 4)})


def test_it_needs_its_two_networks():
    networks = {"discriminator": Discriminator(), "maker": Generator()}
    with pytest.raises(UserError, match=r"networks\.generator is missing"):
        game(networks=networks, generator=player("maker"))
