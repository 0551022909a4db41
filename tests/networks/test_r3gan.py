"""R3GAN's pair: parameter counts, blocks that begin as nothing, no norm."""

import pytest
import torch
from torch import nn

from gantrain.networks.r3gan import Block, Discriminator, Generator


def count(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("size", "channels", "width", "widths", "blocks", "classes", "counts"),
    [
        (32, 3, 768, [1, 1, 1, 1], 2, None, (20_732_160, 20_683_776)),
        (32, 3, 768, [1, 1, 1, 1], 2, 10, (20_781_952, 21_280_512)),
        (64, 3, 384, [1, 2, 2, 2, 2], 2, None, (22_429_824, 22_381_440)),
        (256, 3, 96, [1, 2, 4, 8, 8, 8, 8], 2, None, (23_057_952, 23_009_568)),
        (28, 1, 32, [1, 1.5, 2], 1, None, (83_616, 79_584)),
        (28, 1, 32, [1, 2, 3], 1, None, (132_480, 126_432)),
        (32, 3, 64, None, 1, None, (145_600, 141_568)),
        (32, 3, 32, [1, 2, 3, 3], 1, None, (194_272, 188_224)),
        (64, 3, 16, [1, 2, 4, 6, 6], 1, None, (200_432, 194_384)),
    ],
)
def test_numbers_of_parameters(size, channels, width, widths, blocks, classes, counts):
    with torch.device("meta"):
        generator = Generator(64, width, size, channels, widths, blocks, classes)
        discriminator = Discriminator(width, size, channels, widths, blocks, classes)
    assert (count(generator), count(discriminator)) == counts


def test_a_block_begins_as_the_identity():
    x = torch.randn(2, 16, 4, 4)
    assert torch.equal(Block(16, blocks=6)(x), x)


def test_there_is_no_norm_and_a_picture_alone_is_what_it_is_among_others():
    torch.manual_seed(0)
    generator, discriminator = Generator(5, 8, 28, 1), Discriminator(8, 28, 1)
    assert not any("Norm" in type(part).__name__ for net in (generator, discriminator) for part in net.modules())
    z = torch.randn(3, 5)
    made = generator(z)
    assert torch.allclose(generator(z[:1]), made[:1], atol=1e-5)
    assert torch.allclose(discriminator(made[:1]), discriminator(made)[:1], atol=1e-5)


def test_initial_weights_keep_the_variance_of_all_blocks():
    torch.manual_seed(0)
    first, second = [layer for layer in Block(64, blocks=16).layers if isinstance(layer, nn.Conv2d)][:2]
    gain = (2 / 1.04) ** 0.5 / 2  # 16^(-1/4) is a half
    assert first.weight.std().item() == pytest.approx(gain / 64**0.5, rel=0.05)
    assert second.weight.std().item() == pytest.approx(gain / (16 * 9) ** 0.5, rel=0.05)
    assert first.bias.abs().max().item() == 0


def test_narrow_widths_make_whole_groups():
    made = Generator(5, 8, 28, 1, widths=[1, 1.5, 2], blocks=1)(torch.randn(1, 5))
    assert made.shape == (1, 1, 28, 28)
    with pytest.raises(ValueError, match="size 30 does not halve 2 times"):
        Generator(5, 8, 30, 1, widths=[1, 1, 1])
    with pytest.raises(ValueError, match="widths is an empty list"):
        Generator(5, 8, 28, 1, widths=[])


def test_the_class_counts():
    torch.manual_seed(0)
    z, images, one, other = torch.randn(2, 5), torch.randn(2, 1, 8, 8), torch.tensor([0, 0]), torch.tensor([1, 1])
    generator, discriminator = Generator(5, 8, 8, 1, classes=2), Discriminator(8, 8, 1, classes=2)
    assert not torch.allclose(generator(z, one), generator(z, other))
    assert not torch.allclose(discriminator(images, one), discriminator(images, other))


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision_trains_one_picture(kind):
    torch.manual_seed(0)
    generator, discriminator = Generator(5, 8, 28, 1), Discriminator(8, 28, 1)
    with torch.autocast("cpu", dtype=kind):
        logits = discriminator(generator(torch.randn(1, 5)))
    logits.float().sum().backward()
    for network in (generator, discriminator):
        assert all(p.grad is None or torch.isfinite(p.grad).all() for p in network.parameters())
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in generator.parameters())
