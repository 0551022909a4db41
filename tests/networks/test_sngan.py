"""SNGAN's residual pair and SAGAN's: parameter counts by hand, classes, the norm of every layer."""

import pytest
import torch
from torch import nn

from gantrain.networks.attention import attention_layers
from gantrain.networks.sngan import Discriminator, Generator


def count(network):
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


SAGAN = {"hidden": "output", "head_bias": True}


@pytest.mark.parametrize(
    ("generator", "discriminator", "counts"),
    [
        ((128, 256, 32, 3), (128, 32, 3), (4_276_739, 1_053_824)),
        ((128, 32, 32, 3), (32, 32, 3), (126_019, 66_848)),
        ((128, 64, 32, 3), (64, 32, 3), (368_771, 264_768)),
        ((64, 32, 28, 1), (32, 28, 1), (141_633, 66_208)),
    ],
)
def test_the_papers_counts(generator, discriminator, counts):
    assert (count(Generator(*generator)), count(Discriminator(*discriminator))) == counts


def test_counts_at_64_pixels():
    assert count(Generator(128, 16, 64, 3)) == 1_162_051
    assert count(Discriminator(16, 64, 3, head_bias=True)) == 635_329
    with torch.device("meta"):
        assert count(Generator(128, 64, 64, 3)) == 12_220_675
        assert count(Discriminator(64, 64, 3, head_bias=True, spectral=False)) == 10_141_441
        assert count(Discriminator(64, 64, 3, **SAGAN, spectral=False)) == 19_542_721


def test_counts_with_classes():
    with torch.device("meta"):
        assert count(Generator(128, 256, 32, 3, classes=10)) == 4_304_387
        assert count(Discriminator(128, 32, 3, classes=10, spectral=False)) == 1_055_104


def test_sagans_counts():
    generator = Generator(128, 32, 32, 3, [4, 4, 2, 1], classes=10, spectral=True, attention=16)
    discriminator = Discriminator(32, 32, 3, [1, 2, 4, 4], pools=3, classes=10, attention=16, **SAGAN)
    assert (count(generator), count(discriminator)) == (741_572, 595_426)
    with torch.device("meta"):
        generator = Generator(128, 64, 64, 3, classes=10, attention=32)
        discriminator = Discriminator(64, 64, 3, classes=10, spectral=False, attention=16, **SAGAN)
        assert (count(generator), count(discriminator)) == (12_292_996, 19_573_442)
        generator = Generator(128, 64, 128, 3, classes=1000, attention=32)
        discriminator = Discriminator(64, 128, 3, pools=5, classes=1000, spectral=False, attention=32, **SAGAN)
        assert (count(generator), count(discriminator)) == (42_078_852, 39_463_618)


@pytest.mark.parametrize("size", [8, 28, 32, 40, 64])
def test_any_size_and_a_batch_of_one(size):
    made = Generator(5, 4, size, 3)(torch.randn(1, 5))
    assert made.shape == (1, 3, size, size)
    assert made.abs().max() <= 1
    assert Discriminator(4, size, 3)(made).shape == (1,)


def test_sizes_and_places_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="size 30 is no multiple of 4"):
        Generator(5, 4, 30, 1)
    with pytest.raises(ValueError, match="attention is 10, but the blocks make maps of 14, 28"):
        Generator(5, 4, 28, 1, attention=10)
    with pytest.raises(ValueError, match="pools is 5"):
        Discriminator(4, 28, 1, pools=5)


def test_the_projection_adds_an_inner_product_to_the_logit():
    torch.manual_seed(0)
    network, plain = Discriminator(4, 28, 1, classes=3).eval(), Discriminator(4, 28, 1, features=True).eval()
    theirs = {key: value for key, value in network.state_dict().items() if not key.startswith("embed")}
    plain.load_state_dict(theirs)
    images, cond = torch.randn(2, 1, 28, 28), torch.tensor([2, 0])
    judged = plain(images)
    found = judged.features[-1].relu().sum((2, 3))
    assert torch.allclose(network(images, cond), judged.logits + (network.embed.weight[cond] * found).sum(1))


def test_a_class_has_gains_of_its_own_and_may_be_alone_in_a_batch():
    torch.manual_seed(0)
    network = Generator(5, 4, 28, 1, classes=3)
    with torch.no_grad():
        network.blocks[0].norms[0].table[1] *= 2
    z = torch.randn(3, 5)
    one, other = (network.eval()(z, torch.full((3,), number)) for number in (0, 1))
    assert not torch.allclose(one, other)
    assert torch.isfinite(network.train()(z, torch.zeros(3, dtype=torch.long))).all()


def test_every_layer_has_norm_one_after_some_turns():
    torch.manual_seed(0)
    network = Discriminator(4, 28, 1, classes=3, attention=14)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(100):
        loss = network(torch.randn(2, 1, 28, 28), torch.tensor([0, 1])).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    layers = [part for part in network.eval().modules() if isinstance(part, (nn.Conv2d, nn.Linear, nn.Embedding))]
    assert len(layers) == 8 + 2 + 4 + 2  # of blocks, shortcuts, attention, head and classes
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1.0, rel=0.05)


def test_attention_begins_as_nothing():
    def built(**options):
        torch.manual_seed(0)
        return Generator(5, 8, 28, 1, **options).eval()

    with_attention, without = built(attention=14), built()
    without.load_state_dict({k: v for k, v in with_attention.state_dict().items() if "attend" not in k})
    z = torch.randn(2, 5)
    assert torch.equal(with_attention(z), without(z))
    assert len(attention_layers(with_attention)) == 1
    with torch.no_grad():
        attention_layers(with_attention)[0].gamma.fill_(1.0)
    assert not torch.allclose(with_attention(z), without(z))


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision_trains_one_picture(kind):
    torch.manual_seed(0)
    generator, discriminator = (
        Generator(5, 8, 28, 1, spectral=True, attention=14),
        Discriminator(8, 28, 1, attention=14),
    )
    with torch.autocast("cpu", dtype=kind):
        logits = discriminator(generator(torch.randn(1, 5)))
    logits.float().sum().backward()
    for network in (generator, discriminator):
        assert all(p.grad is None or torch.isfinite(p.grad).all() for p in network.parameters())
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in generator.parameters())
