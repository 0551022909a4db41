"""Class numbers as further channels."""

import copy
import io

import pytest
import torch

from gantrain.networks import agecgan, dcgan, mlp, r3gan, sngan
from gantrain.networks.labels import class_of_latent, take_latents_alone, with_class


def test_the_one_hot_joins_the_channels_at_every_position():
    cond = torch.tensor([2, 0])
    assert with_class(torch.full((2, 1), 7.0), cond, 3).tolist() == [[7, 0, 0, 1], [7, 1, 0, 0]]
    joined = with_class(torch.zeros(2, 2, 4, 5, 6), cond, 3)
    assert joined.shape == (2, 5, 4, 5, 6)
    assert joined[0, 4].min() == 1
    assert joined[0, :4].max() == 0


def test_classes_and_class_numbers_come_together():
    x = torch.zeros(2, 1)
    assert with_class(x, None, None) is x
    with pytest.raises(TypeError, match="takes no class numbers"):
        with_class(x, torch.tensor([0, 1]), None)
    with pytest.raises(TypeError, match="takes class numbers as well"):
        with_class(x, None, 2)


@pytest.mark.parametrize("kind", [agecgan, dcgan, mlp, r3gan])
def test_every_family_of_networks_heeds_the_class(kind):
    torch.manual_seed(0)
    cond = torch.tensor([0, 1])
    generator = kind.Generator(z_dim=3, width=4, size=16, channels=1, classes=2).eval()
    made = generator(torch.ones(2, 3), cond)
    assert made.shape == (2, 1, 16, 16)
    assert not torch.allclose(made[0], made[1])
    discriminator = kind.Discriminator(width=4, size=16, channels=1, classes=2).eval()
    logits = discriminator(torch.ones(2, 1, 16, 16), cond)
    assert logits.shape == (2,)
    assert logits[0] != logits[1]


@pytest.mark.parametrize("part", ["generator", "discriminator"])
@pytest.mark.parametrize("kind", [agecgan, dcgan, mlp, r3gan, sngan])
def test_an_export_takes_a_batch_of_any_size(kind, part):
    torch.manual_seed(0)
    if part == "generator":
        network, inputs = kind.Generator(z_dim=3, width=4, size=16, channels=1, classes=2).eval(), torch.rand(5, 3)
    else:
        network, inputs = kind.Discriminator(width=4, size=16, channels=1, classes=2).eval(), torch.rand(5, 1, 16, 16)
    cond, some = torch.tensor([0, 1, 1, 0, 1]), torch.export.Dim("some")
    shapes = {"cond": {0: some}, ("z" if part == "generator" else "images"): {0: some}}
    exported = torch.export.export(network, (inputs, cond), dynamic_shapes=shapes).module()
    traced = torch.jit.trace(network, (inputs, cond))
    for n in (2, 3, 5):
        assert torch.allclose(exported(inputs[:n], cond[:n]), network(inputs[:n], cond[:n]), atol=1e-6)
        assert torch.allclose(traced(inputs[:n], cond[:n]), network(inputs[:n], cond[:n]), atol=1e-6)


@pytest.mark.parametrize("kind", [dcgan, mlp])
def test_without_classes_the_initial_weights_are_those_of_before(kind):
    """An auxiliary head is drawn after all the rest."""

    def weights(**options):
        torch.manual_seed(0)
        return dict(kind.Discriminator(width=4, size=8, channels=1, init="torch", **options).named_parameters())

    plain, more = weights(), weights(auxiliary=5)
    assert set(more) - set(plain) == {"auxiliary.weight", "auxiliary.bias"}
    assert all(torch.equal(value, more[name]) for name, value in plain.items())


@pytest.mark.parametrize("kind", [dcgan, mlp])
def test_the_auxiliary_head_reads_the_last_layer(kind):
    network = kind.Discriminator(width=4, size=8, channels=1, auxiliary=5, features=True)
    judged = network(torch.rand(3, 1, 8, 8))
    assert judged.logits.shape == (3,)
    assert torch.equal(judged.auxiliary, network.auxiliary(judged.features[-1].flatten(1)))
    without = kind.Discriminator(width=4, size=8, channels=1, auxiliary=5)(torch.rand(3, 1, 8, 8))
    assert (without.features, without.auxiliary.shape) == ((), (3, 5))


@pytest.mark.parametrize("z_dim", [8, 64, 100])
@pytest.mark.parametrize(
    "draw", [torch.randn, lambda *shape: 0.5 * torch.randn(*shape), lambda *s: 2 * torch.rand(*s) - 1]
)
def test_latents_stand_for_all_classes_about_equally(z_dim, draw):
    torch.manual_seed(0)
    shares = torch.bincount(class_of_latent(draw(20_000, z_dim), 10), minlength=10) / 20_000
    assert len(shares) == 10
    assert 0.085 < shares.min() < shares.max() < 0.115


def test_the_class_of_a_latent_is_its_own():
    z = torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
    together = class_of_latent(z, 10)
    assert together.tolist() == [class_of_latent(row[None], 10).item() for row in z]
    assert torch.equal(class_of_latent(3 * z, 10), together)
    ends = torch.tensor([[9.0], [-9.0]]).expand(2, 100)
    assert class_of_latent(torch.cat([ends, torch.zeros(1, 100)]), 10).tolist() == [9, 0, 5]


@pytest.mark.parametrize("kind", [agecgan, dcgan, mlp, r3gan])
def test_a_generator_takes_latents_alone(kind):
    torch.manual_seed(0)
    generator, z = kind.Generator(z_dim=3, width=4, size=16, channels=1, classes=2).eval(), torch.randn(6, 3)
    keys = list(generator.state_dict())
    take_latents_alone(generator)
    given = generator(z, class_of_latent(z, 2))
    assert torch.equal(generator(z), given)
    assert torch.equal(generator(z, cond=1 - class_of_latent(z, 2)), generator(z, 1 - class_of_latent(z, 2)))
    assert not torch.equal(generator(z, 1 - class_of_latent(z, 2)), given)
    assert list(generator.state_dict()) == keys
    stored = io.BytesIO()
    torch.save(generator, stored)
    stored.seek(0)
    for other in (copy.deepcopy(generator), torch.load(stored, weights_only=False), torch.jit.trace(generator, z)):
        assert torch.allclose(other(z), given, atol=1e-6)


def test_other_networks_are_left_as_they_are():
    without = dcgan.Generator(z_dim=3, width=4, size=16, channels=1)
    judge = dcgan.Discriminator(width=4, size=16, channels=1, classes=2)
    for network in (without, judge):
        take_latents_alone(network)
        assert not network._forward_pre_hooks
