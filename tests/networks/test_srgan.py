import pytest
import torch
import torch.nn.functional as F

from gantrain.networks.srgan import Discriminator, Generator


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_the_books_networks():
    generator = Generator(64, 3, 4, upsampler="nearest", activation="relu", norm="after")
    assert parameters(generator) == 2_038_467
    assert parameters(Discriminator(64, 3)) == 5_215_425


def test_the_papers_networks():
    assert parameters(Generator(64, 3, 4)) == 1_549_462
    assert parameters(Discriminator(64, 3, size=96)) == 23_565_505  # eight convolutions, 512*6*6 to 1024 to 1


def test_batch_norm_stands_before_or_after_the_activation():
    def kinds(norm):
        return [type(layer).__name__ for layer in Generator(4, 3, 2, 1, norm=norm).body[0].layers]

    assert kinds("before") == ["Conv2d", "BatchNorm2d", "PReLU", "Conv2d", "BatchNorm2d"]
    assert kinds("after") == ["Conv2d", "PReLU", "BatchNorm2d", "Conv2d", "BatchNorm2d"]
    assert kinds("none") == ["Conv2d", "PReLU", "Conv2d"]


def test_the_critics_batch_norm_does_too_in_all_blocks_but_the_first():
    def blocks(norm):
        kinds = "".join(type(layer).__name__[0] for layer in Discriminator(4, 3, norm=norm).features)
        return ["C" + block for block in kinds.split("C")[1:]]

    assert blocks("before") == blocks(True) == ["CL", *["CBL"] * 7]
    assert blocks("after") == ["CL", *["CLB"] * 7]
    assert blocks("none") == blocks(False) == ["CL"] * 8


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("upsampler", ["shuffle", "nearest"])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_height_and_width_grows_by_the_scale(scale, upsampler, channels):
    made = Generator(4, channels, scale, 1, upsampler).eval()(torch.rand(2, channels, 5, 7))
    assert made.shape == (2, channels, 5 * scale, 7 * scale)
    assert made.abs().max() <= 1


def test_with_skip_training_starts_from_the_bicubic_enlargement():
    low = torch.rand(1, 3, 6, 5)
    made = Generator(4, 3, 4, 2, norm="none", skip=True)(low)
    assert torch.equal(made, F.interpolate(low, (24, 20), mode="bicubic", antialias=True))


@pytest.mark.parametrize("options", [{}, {"upsampler": "nearest"}, {"norm": "none", "skip": True, "blur": True}])
@pytest.mark.parametrize("scale", [2, 4, 8])
def test_no_pixel_sees_farther_than_the_reach(scale, options):
    torch.manual_seed(0)
    network = Generator(4, 1, scale, 2, **options).eval()
    torch.nn.init.normal_(network.last.weight)
    side = 2 * network.reach + 5
    middle = side // 2
    low = torch.zeros(1, 1, side, side, requires_grad=True)
    network(low)[0, 0, middle * scale : (middle + 1) * scale, middle * scale : (middle + 1) * scale].sum().backward()
    seen = low.grad[0, 0].nonzero()
    assert (seen - middle).abs().max() <= network.reach


def test_with_blur_a_flat_picture_stays_flat():
    """Whatever the weights are; without blur the pixels of a low one differ."""
    low = torch.full((1, 3, 30, 30), 0.3)
    for blur in (True, False):
        torch.manual_seed(0)
        network = Generator(4, 3, 4, 1, norm="none", blur=blur)
        inside = network(low)[..., 48:72, 48:72]
        assert (inside.std((2, 3)).max() < 1e-6) == blur


def test_the_patch_critic_decides_at_every_sixteenth_pixel():
    assert Discriminator(4, 3)(torch.rand(2, 3, 64, 96)).shape == (2, 4, 6)
    assert Discriminator(4, 3, size=64)(torch.rand(2, 3, 64, 64)).shape == (2,)


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="blocks"):
        Generator(4, 3, 4, blocks=0)
    with pytest.raises(ValueError, match="blur"):
        Generator(4, 3, 4, upsampler="nearest", blur=True)
