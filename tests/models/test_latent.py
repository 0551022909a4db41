"""The latent family."""

import pytest
import torch
from torch import nn
from toys import Discriminator, Generator, game, play, player

from gantrain.errors import UserError
from gantrain.losses.penalties import R1
from gantrain.models.latent import LatentGAN


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


# ---- of a class ------------------------------------------------------------------------------------------------------


class OfClass(nn.Module):
    """A network that takes class numbers below 3 as well, and notes them."""

    def __init__(self, network, inputs):
        super().__init__()
        self.network, self.z_dim = network, inputs
        self.table = nn.Embedding(3, inputs)
        self.seen = []

    def forward(self, x, cond):
        self.seen.append(cond.tolist())
        return self.network(x + self.table(cond))


class Labelled(LatentGAN):
    """The toys' batches have no classes."""

    def draw(self, batch):
        return {"cond": torch.arange(len(batch["real"])) % 3, **super().draw(batch)}


def conditional(**options):
    networks = {"generator": OfClass(Generator(), 3), "discriminator": OfClass(Discriminator(), 4)}
    return game(family=Labelled, networks=networks, classes=3, **options)


LABELS = [0, 1, 2, 0, 1, 2, 0, 1]


def test_both_networks_take_the_real_samples_classes():
    module = play(conditional(penalties={"r1": R1(1.0)}), 1)
    assert module.networks["generator"].seen == [LABELS]  # one pass serves both turns
    assert module.networks["discriminator"].seen == [LABELS] * 4  # real, fake, penalty; the generator's turn
    assert module.networks["generator"].table.weight.grad.abs().sum() > 0


def test_fresh_noise_draws_classes_of_its_own():
    module = play(conditional(fresh_noise=True), 50)
    passes = module.networks["generator"].seen
    assert passes[::2] == [LABELS] * 50
    drawn = torch.tensor(passes[1::2])
    assert drawn.shape == (50, 8)
    assert torch.bincount(drawn.flatten(), minlength=3).min() > 0.75 * 400 / 3
    judged = module.networks["discriminator"].seen
    assert judged[:3] == [LABELS, LABELS, passes[1]]


def test_samples_of_classes():
    module = conditional()
    z = module.latents(7, torch.Generator().manual_seed(0))
    turn = module.generate(z)
    assert torch.equal(turn, module.generate(z, torch.tensor([0, 1, 2, 0, 1, 2, 0])))
    assert torch.allclose(turn, module.generate(z, chunk=2), atol=1e-6)
    assert not torch.equal(turn, module.generate(z, torch.zeros(7, dtype=torch.int64)))
    shown = module.preview({"real": torch.zeros(8, 4)}, torch.Generator().manual_seed(0))
    assert shown.shape == (6, 4)
    assert torch.equal(shown[:3], module.generate(z[:1].repeat(3, 1)))
    assert module.preview_columns == 3
    assert module.classes
    assert not game().classes


def test_classes_must_be_in_the_data():
    with pytest.raises(UserError, match=r"models\.classes: the data have no classes"):
        conditional().check({"real": torch.zeros(2, 4)})
    conditional().check({"real": torch.zeros(2, 4), "cond": torch.tensor([0, 2])})
