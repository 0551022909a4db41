"""The prior of latents: one stream of normal numbers, whatever is made of them."""

import pytest
import torch
from toys import Discriminator, Generator, game

from gantrain.losses.auxiliary import Codes
from gantrain.models.prior import normal_latents


def test_noise_has_unit_variance_or_the_deviation_asked_for():
    z = game().latents(100_000, torch.Generator().manual_seed(0))
    assert z.std().item() == pytest.approx(1.0, abs=0.01)
    z = game(z_std=0.33).latents(100_000, torch.Generator().manual_seed(0))
    assert z.std().item() == pytest.approx(0.33, abs=0.01)


def test_uniform_latents_are_where_normal_ones_rank():
    seeded = torch.Generator().manual_seed
    z = game(z_kind="uniform", z_std=2.0).latents(100_000, seeded(0))
    assert z.abs().max() <= 2.0
    shares = torch.histc(z, 4, -2, 2) / z.numel()
    assert shares.tolist() == pytest.approx([0.25] * 4, abs=0.01)
    assert torch.equal(z.sign(), game().latents(100_000, seeded(0)).sign())
    coded = game(
        z_kind="uniform", auxiliary=Codes(2), networks={"generator": Generator(5), "discriminator": Discriminator()}
    )
    z = coded.latents(1000, seeded(0))
    assert z[:, :3].abs().max() <= 1.0
    assert torch.equal(z[:, 3:].sum(1), torch.ones(1000))


@pytest.mark.parametrize("z_dim", [1, 3, 16, 62, 100])
@pytest.mark.parametrize("truncation", [None, 0.05, 0.7, 3.0, 50.0])
def test_a_latent_of_a_seed_is_one_whatever_their_number_is(z_dim, truncation):
    many = normal_latents(300, z_dim, torch.Generator().manual_seed(5), truncation)
    assert torch.isfinite(many).all()
    assert truncation is None or many.abs().max() <= truncation
    assert len(many.unique()) > 0.75 * many.numel()
    for n in (1, 2, 3, 7, 16, 17, 64, 250):
        assert torch.equal(normal_latents(n, z_dim, torch.Generator().manual_seed(5), truncation), many[:n])


def test_truncated_noise_is_a_normal_that_is_cut():
    z = normal_latents(1000, 100, torch.Generator().manual_seed(0), 1.0)
    assert z.std().item() == pytest.approx(0.5396, abs=0.005)  # of a normal within one deviation
    assert normal_latents(1000, 100, torch.Generator().manual_seed(0), 9.0).std().item() == pytest.approx(1, abs=0.01)
