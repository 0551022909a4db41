import pytest
import torch
from torch import nn

from gantrain.networks.smooth import smoothed
from gantrain.networks.unet import Generator


def test_the_papers_network_has_the_papers_channels():
    network = Generator(64, 256, 3, 3)
    down = [block[-1] if isinstance(block[-1], nn.Conv2d) else block[-2] for block in network.down]
    assert [conv.out_channels for conv in down] == [64, 128, 256, 512, 512, 512, 512, 512]
    up = [block[1] for block in network.up]
    assert [conv.in_channels for conv in up] == [512, 1024, 1024, 1024, 1024, 512, 256, 128]
    assert [conv.out_channels for conv in up] == [512, 512, 512, 512, 256, 128, 64, 3]
    dropped = [any(isinstance(layer, nn.Dropout) for layer in block) for block in network.up]
    assert dropped == [True] * 3 + [False] * 5
    assert abs(down[3].weight.std().item() - 0.02) < 1e-3
    normed = [any(isinstance(layer, nn.InstanceNorm2d) for layer in block) for block in network.down]
    assert normed == [False, *[True] * 6, False]


def test_every_part_of_the_picture_depends_on_every_other_and_most_on_what_is_there():
    torch.manual_seed(0)
    network = Generator(8, 16, 1, 3, norm="none", dropout=0.0, init="torch")
    cond = torch.randn(1, 1, 16, 16, requires_grad=True)
    made = network(cond)
    assert made.shape == (1, 3, 16, 16)
    made[0, :, 3, 3].sum().backward()
    seen = cond.grad[0, 0].abs()
    assert (seen > 0).float().mean() > 0.95  # through the single pixel in the middle
    assert seen[:8, :8].sum() > seen[8:, 8:].sum()  # and through the skips


def test_dropout_is_noise_in_training_only():
    network = Generator(4, 16, 1, 3)
    cond = torch.randn(1, 1, 16, 16)
    assert not torch.equal(network(cond), network(cond))
    network.eval()
    assert torch.equal(network(cond), network(cond))


@pytest.mark.parametrize("size", [3, 48, 2])
def test_sides_are_powers_of_two(size):
    with pytest.raises(ValueError, match="power of two"):
        Generator(4, size, 1, 3)


def test_with_smooth_it_begins_as_a_smooth_filling_and_learns_what_is_added():
    torch.manual_seed(0)
    network = Generator(4, 16, 4, 3, dropout=0.0, smooth=True)
    ramp = torch.linspace(-1, 1, 16).expand(1, 3, 16, 16).clone()
    missing = torch.zeros(1, 1, 16, 16)
    missing[..., 4:12, 5:11] = 1
    cond = torch.cat([torch.where(missing > 0, 0.3, ramp), missing], 1)
    made = network(cond)
    assert torch.equal(made[missing.expand(-1, 3, -1, -1) == 0], ramp[missing.expand(-1, 3, -1, -1) == 0])
    assert (made - ramp).abs().max() < 0.1 < (cond[:, :3] - ramp).abs().max()
    hidden = cond.clone()
    hidden[:, :3] = torch.where(missing > 0, torch.randn(1, 3, 16, 16), ramp)
    assert torch.equal(network(hidden), made)  # what the hole held is not seen
    made.mean().backward()
    assert network.up[-1][1].weight.grad.abs().sum() > 0
    with pytest.raises(ValueError, match="smooth"):
        Generator(4, 16, 3, 3, smooth=True)


def test_a_smooth_filling_of_the_widest_holes_is_finite():
    missing = torch.ones(2, 1, 32, 32)
    missing[0, :, 0, 0] = 0
    missing[1, :, :, :16] = 0
    cond = torch.cat([torch.full((2, 1, 32, 32), 0.5), missing], 1)
    torch.testing.assert_close(smoothed(cond), cond[:, :1])
