"""A look at a game whose generator is known: one that copies training's samples, one that makes one for all latents."""

import pytest
import torch
from toys import game

from gantrain.data import GANDataModule
from gantrain.data.synthetic import Synthetic
from gantrain.evaluation.checkup import Checkup, Real, steps_of
from gantrain.losses.adversarial import Wasserstein
from gantrain.models.latent import LatentGAN
from gantrain.networks.mlp import Discriminator, Generator


class Copies(LatentGAN):
    def made(self, batch, generator):
        return {"real": batch["real"].clone()}


class OneForAll(LatentGAN):
    def made(self, batch, generator):
        return {"real": torch.zeros_like(batch["real"])}


class Silent(LatentGAN):
    def made(self, batch, generator):
        return {}


@pytest.fixture
def data():
    return GANDataModule(Synthetic(64), size=16, channels=1, batch_size=8).open()


def checkup(data, family=LatentGAN, **options):
    sizes = {"width": 8, "size": 16, "channels": 1}
    networks = {
        "generator": Generator(z_dim=4, batch_norm=True, slope=0.0, **sizes),
        "discriminator": Discriminator(**sizes),
    }
    return Checkup(game(family=family, networks=networks, **options), data)


def look(data, *args, **options):
    return checkup(data, *args, **options).look(data.examples(8), {})


def test_copies_lie_on_training_samples(data):
    values = look(data, Copies)
    assert values["nearest"] == 0
    assert values["diversity"] == pytest.approx(1, abs=0.15)
    assert values["separation"] == 0.5
    assert values["saturated"] == values["real_saturated"]


def test_one_for_all_has_no_diversity(data):
    values = look(data, OneForAll)
    assert (values["diversity"], values["duplicates"], values["real_duplicates"]) == (0, 1, 0)
    assert values["not_finite"] == 0


def test_what_changes_nothing_is_put_back_and_the_same_again(data):
    one = checkup(data)
    one.module.train()
    before = {name: value.clone() for name, value in one.module.state_dict().items()}
    generator = torch.get_rng_state()
    values = one.look(data.examples(8), {"generator": steps_of(one.module.weights_of("generator"))})
    assert all(torch.equal(value, before[name]) for name, value in one.module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), generator)
    assert one.module.networks["generator"].training
    assert values["generator/step"] == 0
    assert 0 <= values["generator/dead"] < 1
    assert values["norm_gap"] > 0  # its running means are those of the beginning
    assert one.look(data.examples(8), {}) | {"generator/step": 0} == values


def test_clusters_count_new_fakes_at_each_look_or_none(data):
    one = checkup(data)
    looks = []
    for one.module.iteration in (100, 200):
        looks.append(one.look(data.examples(8), {}))
    assert sum(looks[0]["cells"]) == sum(looks[1]["cells"]) == 32
    assert looks[0]["diversity"] != looks[1]["diversity"]  # of the same weights
    copies = checkup(data, Copies)  # made of the same samples each time: counted again, they would be no more
    assert "cells" not in copies.look(data.examples(8), {})
    assert "modes, for fakes are made of the same samples at every look" in copies.missing()


def test_it_says_what_it_cannot_measure(data):
    assert not any("discriminator" in reason for reason in checkup(data).missing())
    assert "no logit of indecision" in checkup(data, adversarial=Wasserstein()).missing()[0]
    silent = checkup(data, Silent)
    assert silent.look(data.examples(8), {})["generator/turns"] == 0
    assert "`made`" in silent.missing()[0]
    alone = GANDataModule(Synthetic(30), size=16, channels=1, batch_size=8).open()
    assert "modes, for there are fewer than 40 different samples" in checkup(alone).missing()


def test_real_samples_know_their_usual_distances():
    rows = torch.tensor([[0.0], [1.0], [3.0], [6.0]])  # the nearest other at 1, 1, 2, 3
    alone = Real(rows, None, 0)
    assert alone.usual == 1  # torch's median is the lower of two
    assert alone.diversity.item() == pytest.approx((1 + 3 + 6 + 2 + 5 + 3) / 6)
    assert alone.radius.item() == 0.25
    assert alone.centres is None  # too few for clusters
    assert Real(rows, torch.tensor([[8.0], [9.0], [1.0]]), 0).usual == 2
    repeated = Real(rows.repeat(3, 1), None, 0)
    assert len(repeated.bank) == 4
    assert repeated.usual == 1
    assert Real(torch.ones(5, 2), None, 0).diversity == 0
