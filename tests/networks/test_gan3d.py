"""3D-GAN's networks: parameter counts by hand, shapes, where batch norm is."""

import pytest
import torch
from torch import nn

from gantrain.networks.gan3d import Discriminator, FromCubes, Generator, RandomShift, ToCubes
from gantrain.networks.minibatch import MinibatchDeviation


def count(network):
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def test_the_papers_parameter_counts():
    # weights 64 * (200*512 + 512*256 + 256*128 + 128*64 + 64*1), biases 961, batch norm 2 * 960
    assert count(Generator(200, 64, 64)) == 17_567_744 + 961 + 1_920 == 17_570_625
    # weights 64 * (1*64 + 64*128 + 128*256 + 256*512 + 512*1), the same biases and batch norm
    assert count(Discriminator(64, 64)) == 11_046_912 + 961 + 1_920 == 11_049_793


def test_at_32_one_layer_of_each_goes():
    def layers(network, kind):
        return [m.out_channels for m in network.modules() if isinstance(m, kind)]

    assert layers(Generator(200, 64, 64), nn.ConvTranspose3d) == [512, 256, 128, 64, 1]
    assert layers(Generator(200, 64, 32), nn.ConvTranspose3d) == [256, 128, 64, 1]
    assert layers(Discriminator(64, 64), nn.Conv3d) == [64, 128, 256, 512, 1]
    assert layers(Discriminator(64, 32), nn.Conv3d) == [64, 128, 256, 1]


@pytest.mark.parametrize("size", [8, 16, 32])
def test_shapes_and_range(size):
    made = Generator(5, 2, size, init="torch")(torch.randn(3, 5))
    assert made.shape == (3, 1, size, size, size)
    assert made.min() > 0
    assert made.max() < 1
    discriminator = Discriminator(2, size)
    assert discriminator(made).shape == (3,)
    assert not any(isinstance(m, nn.Sigmoid) for m in discriminator.modules())  # logits


def test_the_last_layers_have_no_batch_norm_and_the_others_as_asked():
    def norms(network):
        return sum(isinstance(m, nn.BatchNorm3d) for m in network.modules())

    assert norms(Generator(5, 2, 16)) == 2
    assert norms(Discriminator(2, 16)) == 2
    assert norms(Discriminator(2, 16, norm_first=False)) == 1
    assert norms(Discriminator(2, 16, norm=False)) == 0


@pytest.mark.parametrize("size", [4, 30, 48])
def test_other_sizes_are_refused(size):
    for make in (lambda: Generator(5, 2, size), lambda: Discriminator(2, size)):
        with pytest.raises(ValueError, match=f"size {size} is none of 8, 16, 32"):
            make()


def test_shifts_are_drawn_per_volume_and_in_training_alone():
    torch.manual_seed(0)
    volumes = torch.zeros(50, 1, 8, 8, 8)
    volumes[:, :, 3, 4, 5] = 1
    shift = RandomShift(2)
    moved = shift(volumes)[:, 0].nonzero()[:, 1:] - torch.tensor([3, 4, 5])
    assert moved.shape == (50, 3)  # none is lost
    for axis in range(3):
        assert moved[:, axis].unique().tolist() == [-2, -1, 0, 1, 2]
    assert not torch.equal(moved[:, 0], moved[:, 1])
    assert shift(torch.ones(20, 1, 4, 4, 4)).mean() < 1  # what leaves does not come in again
    shift.eval()
    assert torch.equal(shift(volumes), volumes)


def test_shifts_leave_a_way_for_gradients():
    volumes = torch.rand(2, 1, 8, 8, 8, requires_grad=True)
    Discriminator(2, 8, norm=False, shift=2)(volumes).sum().backward()
    assert volumes.grad.abs().sum() > 0


def test_a_group_is_shown_to_the_last_layer_alone():
    """One channel more there, so 64 weights more; what one sample is worth then depends on the others."""
    alone, group = Discriminator(2, 16), Discriminator(2, 16, norm=False, group=4)
    assert count(group) == count(Discriminator(2, 16, norm=False)) + 64
    assert not any(isinstance(m, MinibatchDeviation) for m in alone.modules())
    volumes = torch.rand(4, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    same = volumes[:1].expand(4, -1, -1, -1, -1)
    assert not torch.allclose(group(volumes)[0], group(same)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("cubes", "plain", "side"),
    [
        (ToCubes(1, 3), nn.Conv3d(1, 3, 4, 2, 1), 8),
        (ToCubes(2, 3), nn.Conv3d(2, 3, 4, 2, 1), 16),
        (FromCubes(3, 1), nn.ConvTranspose3d(3, 1, 4, 2, 1), 4),
        (FromCubes(3, 2), nn.ConvTranspose3d(3, 2, 4, 2, 1), 8),
    ],
)
def test_cubes_give_the_sums_and_gradients_of_the_plain_convolution(cubes, plain, side):
    plain.load_state_dict(cubes.state_dict())
    volumes = torch.randn(2, cubes.in_channels, side, side, side, requires_grad=True)
    made, wanted = cubes(volumes), plain(volumes)
    assert made.shape == wanted.shape
    assert torch.allclose(made, wanted, atol=1e-5)
    for each, theirs in zip((volumes, *cubes.parameters()), (volumes, *plain.parameters()), strict=True):
        ours, expected = (
            torch.autograd.grad(out.square().mean(), of, retain_graph=True)[0]
            for out, of in ((made, each), (wanted, theirs))
        )
        assert torch.allclose(ours, expected, atol=1e-5)


def test_the_layers_at_the_volumes_are_of_cubes():
    """Those alone have one channel, whose plain convolutions are slow on a CPU."""
    generator, discriminator = Generator(5, 2, 16), Discriminator(2, 16)
    assert [type(m) for m in generator.modules() if isinstance(m, nn.ConvTranspose3d)][-1] is FromCubes
    assert next(type(m) for m in discriminator.modules() if isinstance(m, nn.Conv3d)) is ToCubes
