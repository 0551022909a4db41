"""StyleGAN2's pair: parameter counts, modulation, which layer takes which style, narrow numbers."""

import pytest
import torch
import torch.nn.functional as F

from gantrain.inference.layer_outputs import LayerOutputs
from gantrain.networks import precision, stylegan2
from gantrain.networks.stylegan2 import (
    Activation,
    Discriminator,
    DiscriminatorBlock,
    Generator,
    Mapping,
    ModulatedConv,
    StyledConv,
    Synthesis,
    ToRGB,
)

SMALL = {"width": 4, "size": 16, "channels": 3, "top": 8, "mapping": 2}


def small(**options):
    torch.manual_seed(0)
    return Generator(6, **{**SMALL, **options}), Discriminator(**SMALL)


def count(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("size", "channels", "width", "top", "w_dim", "mapping", "counts"),
    [
        (1024, 3, 32, 512, 512, 8, (30_370_060, 29_012_513)),
        (256, 3, 64, 512, 512, 8, (24_767_458, 24_001_089)),
        (64, 3, 256, 512, 512, 8, (23_819_544, 23_407_361)),
        (64, 3, 64, 256, 256, 2, (4_366_040, 4_727_617)),
        (64, 3, 32, 256, 256, 4, (3_180_024, 3_511_585)),
        (64, 3, 16, 128, 128, 2, (764_680, 878_993)),
        (48, 3, 16, 64, 64, 2, (189_891, 300_369)),
        (40, 3, 32, 128, 128, 2, (750_579, 1_019_041)),
        (40, 3, 16, 64, 64, 2, (189_187, 255_313)),
        (32, 3, 32, 128, 128, 2, (749_427, 871_585)),
        (28, 1, 32, 128, 128, 2, (408_104, 1_100_641)),
        (28, 1, 16, 64, 64, 2, (103_960, 275_633)),
    ],
)
def test_counts(size, channels, width, top, w_dim, mapping, counts):
    with torch.device("meta"):
        generator = Generator(w_dim, width, size, channels, top=top, mapping=mapping)
        discriminator = Discriminator(width, size, channels, top)
    assert (count(generator), count(discriminator)) == counts
    assert generator.layers == {1024: 18, 256: 14, 64: 10, 48: 8, 40: 8, 32: 8, 28: 6}[size]


def by_the_paper(conv, x, w):
    """Each sample with weights of its own: scaled by its style, divided by their length, as a grouped convolution."""
    n, inputs = x.shape[:2]
    weights = conv.weight * conv.style(w)[:, None, :, None, None]
    if conv.demodulate:
        weights = weights / (weights.square().sum((2, 3, 4), keepdim=True) + 1e-8).sqrt()
    else:
        weights = weights / inputs**0.5
    flat = x.reshape(1, n * inputs, *x.shape[2:])
    if conv.blur is None:
        made = F.conv2d(flat, weights.flatten(0, 1), padding=weights.shape[-1] // 2, groups=n)
        return made.view(n, -1, *made.shape[2:])
    made = F.conv_transpose2d(flat, weights.transpose(1, 2).flatten(0, 1), stride=2, groups=n)
    return conv.blur(made.view(n, -1, *made.shape[2:]))


@pytest.mark.parametrize("options", [{}, {"up": True}, {"kernel": 1, "demodulate": False}])
def test_the_scaled_form_is_the_grouped_one(options):
    torch.manual_seed(0)
    conv = ModulatedConv(5, 7, 6, **options).double()
    x, w = torch.randn(3, 5, 8, 8).double(), 3 * torch.randn(3, 6).double()
    w.requires_grad_(True)
    made, wanted = conv(x, w), by_the_paper(conv, x, w)
    assert made.shape == (3, 7, *((16, 16) if "up" in options else (8, 8)))
    assert (made - wanted).abs().max() < 1e-12
    y = torch.randn_like(made)
    for ours, theirs in zip(
        *(torch.autograd.grad((m * y).sum(), (w, conv.weight)) for m in (made, wanted)), strict=True
    ):
        assert torch.allclose(ours, theirs, atol=1e-10)


def test_demodulation_gives_deviation_one_whatever_the_style():
    torch.manual_seed(0)
    conv = ModulatedConv(64, 64, 8)
    made = conv(torch.randn(8, 64, 16, 16), 100 * torch.randn(8, 8))[:, :, 1:-1, 1:-1]
    assert made.std((1, 2, 3)).sub(1).abs().max() < 0.1


def test_a_style_begins_near_one():
    conv = ModulatedConv(4, 3, 5)
    assert torch.equal(conv.style(torch.zeros(1, 5)), torch.ones(1, 4))


def test_activation_by_hand():
    torch.manual_seed(0)
    assert Activation()(torch.tensor([1.0, -1.0])).tolist() == pytest.approx([2**0.5, -0.2 * 2**0.5])


def test_the_mapping_sees_only_the_direction_of_a_latent():
    torch.manual_seed(0)
    mapping, z = Mapping(6, 5, 3), torch.randn(4, 6)
    assert torch.allclose(mapping(z), mapping(10 * z), atol=1e-5)
    assert mapping(z).shape == (4, 5)


def test_noise_is_added_by_its_strength_and_stays_in_use():
    torch.manual_seed(0)
    layer, x, w = StyledConv(3, 4, 5, side=8), torch.randn(2, 3, 8, 8), torch.randn(2, 5)
    noise = torch.randn(2, 1, 8, 8)
    assert torch.equal(layer(x, w), layer(x, w, noise))  # its strength begins at 0
    with torch.no_grad():
        layer.strength.fill_(0.5)
    assert torch.allclose(layer(x, w, noise), layer.act(layer.conv(x, w) + 0.5 * noise))
    assert torch.equal(layer(x, w), layer(x, w, layer.map.expand(2, -1, -1, -1)))


def test_to_rgb_by_hand():
    rgb = ToRGB(4, 1, 2)
    with torch.no_grad():
        rgb.conv.weight.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 4, 1, 1))
        rgb.bias.fill_(0.25)
    # a style of ones, divided by sqrt 4: 10 / 2, and the bias; nothing squashes it
    assert torch.allclose(rgb(torch.ones(1, 4, 2, 2), torch.zeros(1, 2)), torch.tensor(5.25))


def test_which_layer_takes_which_style():
    """Two styles for each size: one for each convolution, one for the picture, which the next size's first shares."""
    generator, _ = small()
    taken = {}
    for name, part in generator.synthesis.named_modules():
        if isinstance(part, ModulatedConv):
            part.register_forward_hook(lambda _, given, __, name=name: taken.update({name: given[1][0, 0].item()}))
    ws = torch.arange(6.0).view(1, 6, 1).expand(1, 6, 6).contiguous()
    generator.synthesis(ws)
    assert taken == {
        "blocks.0.layers.0.conv": 0,
        "blocks.0.to_rgb.conv": 1,
        "blocks.1.layers.0.conv": 1,
        "blocks.1.layers.1.conv": 2,
        "blocks.1.to_rgb.conv": 3,
        "blocks.2.layers.0.conv": 3,
        "blocks.2.layers.1.conv": 4,
        "blocks.2.to_rgb.conv": 5,
    }


def test_each_noise_reaches_its_layer():
    generator, _ = small()
    with torch.no_grad():
        for part in generator.synthesis.modules():
            if isinstance(part, StyledConv):
                part.strength.fill_(0.1)
    assert {name: shape for name, (_, shape) in generator.random_inputs.items() if "noise" in name} == {
        "noise0": (1, 4, 4), **{f"noise{i}": (1, 8, 8) for i in (1, 2)}, **{f"noise{i}": (1, 16, 16) for i in (3, 4)}
    }  # fmt: skip
    maps = [part.map for part in generator.synthesis.modules() if isinstance(part, StyledConv)]
    z = torch.randn(2, 6)
    generator.eval()
    given = {f"noise{i}": one.expand(2, -1, -1, -1) for i, one in enumerate(maps)}
    assert torch.equal(generator(z, **given), generator(z))
    for name, one in given.items():
        assert not torch.allclose(generator(z, **{**given, name: one + 1}), generator(z))


def test_mixing():
    generator, _ = small(mixing=0.5)
    z, mix = torch.randn(8, 6), torch.randn(8, 6)
    cut = torch.tensor([0.0, 0.0999, 0.1001, 0.4999, 0.5, 0.75, 0.9999, 0.2])
    own, other, ws = generator.styles(z), generator.styles(mix), generator.styles(z, mix=mix, cut=cut)
    assert ws.shape == (8, 6, 6)
    for row, place in enumerate([1, 1, 2, 5, 6, 6, 6, 3]):  # one of five with the chance 0.5, else no place
        assert torch.equal(ws[row, :place], own[row, :place]), row
        assert torch.equal(ws[row, place:], other[row, place:]), row
    assert torch.equal(generator.styles(z, mix=z, cut=cut), own)
    assert "mix" not in small(mixing=0.0)[0].random_inputs
    with pytest.raises(ValueError, match="mixing is 2"):
        small(mixing=2)


def test_the_mean_of_w_moves_in_training_alone_and_not_by_what_is_mixed_in():
    generator, _ = small()
    z, mix = torch.randn(8, 6), torch.randn(8, 6)
    generator.eval()(z)
    assert not generator.w_avg.any()
    generator.train()(z, mix=mix, cut=torch.zeros(8))
    assert torch.allclose(generator.w_avg, 0.005 * generator.mapping(z).mean(0), atol=1e-7)
    first = generator.w_avg.clone()
    generator(z)
    assert torch.allclose(generator.w_avg, 0.995 * first + 0.005 * generator.mapping(z).mean(0), atol=1e-7)
    assert "w_avg" in generator.state_dict()


@pytest.mark.parametrize(("size", "first"), [(4, 4), (20, 5), (24, 6), (28, 7), (32, 4)])
def test_sizes_begin_at_4_to_7(size, first):
    generator, discriminator = Generator(6, 4, size, 1), Discriminator(4, size, 1)
    assert generator.synthesis.constant.shape[1:] == (first, first)
    made = generator(torch.randn(1, 6))
    assert made.shape == (1, 1, size, size)
    assert discriminator(made).shape == (1,)


def test_a_discriminator_block_by_its_parts():
    torch.manual_seed(0)
    block = DiscriminatorBlock(3, 5, half=True)
    x = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        block.second[1].weight.zero_()
    assert block(x).shape == (2, 5, 4, 4)
    assert torch.allclose(block(x), block.skip(x) / 2**0.5)  # what the other way says is 0


def test_the_class_counts():
    torch.manual_seed(0)
    generator, discriminator = Generator(6, **SMALL, classes=2), Discriminator(**SMALL, classes=2)
    z, images, one, other = torch.randn(2, 6), torch.randn(2, 3, 16, 16), torch.tensor([0, 0]), torch.tensor([1, 1])
    assert not torch.allclose(generator(z, one), generator(z, other))
    assert not torch.allclose(discriminator(images, one), discriminator(images, other))
    with pytest.raises(TypeError, match="classes"):
        generator(z)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision_trains_one_picture(kind):
    generator, discriminator = small()
    z = torch.randn(1, 6)
    whole = generator(z)
    with torch.autocast("cpu", dtype=kind):
        made = generator(z)
        logits = discriminator(made)
    assert made.dtype == logits.dtype == torch.float32  # the sum, and the end
    assert (made - whole).abs().max() < 0.05 * whole.abs().max()
    logits.sum().backward()
    for network in (generator, discriminator):
        assert all(p.grad is None or torch.isfinite(p.grad).all() for p in network.parameters())
    assert generator.mapping.layers[0].weight.grad.abs().max() > 0


def test_float16_is_scaled_where_float32_would_be_fine():
    torch.manual_seed(0)
    conv = ModulatedConv(16, 4, 5)
    with torch.no_grad():
        conv.weight.mul_(3000)
    x, w = torch.randn(2, 16, 4, 4), 3000 * torch.randn(2, 5)
    whole = conv(x, w)
    with torch.autocast("cpu", dtype=torch.float16):
        narrow = conv(x, w)
    assert narrow.dtype == torch.float16
    assert torch.allclose(narrow.float(), whole, atol=0.02)


def test_float16_is_for_the_largest_sizes_and_is_cut(monkeypatch):
    monkeypatch.setattr(stylegan2, "HALF_SIZES", 1)
    monkeypatch.setattr(precision, "LIMIT", 0.5)
    generator, discriminator = small()
    seen = []
    for part in (*generator.modules(), *discriminator.modules()):
        if isinstance(part, (StyledConv, DiscriminatorBlock)):
            part.register_forward_hook(lambda _, __, made: seen.append(made))
    with torch.autocast("cpu", dtype=torch.float16):
        discriminator(generator(torch.randn(2, 6)))
    half, whole = torch.float16, torch.float32
    assert [made.dtype for made in seen] == [whole, whole, whole, half, half, half, whole]
    largest = [made.abs().max().item() for made in seen]
    assert max(largest[3:5]) == 0.5 < max(largest[:3])


def test_features_are_taken_of_every_layer_of_the_discriminator():
    _, discriminator = small()
    with LayerOutputs(discriminator) as seen:
        outputs = seen(torch.randn(2, 3, 16, 16))
    assert [tuple(one.shape[1:]) for one in outputs] == [
        *((4, 16, 16), (4, 16, 16), (8, 8, 8), (8, 8, 8), (8, 4, 4)),
        *((8, 4, 4), (8,)),
    ]


def test_style_weights_say_how_styles_move():
    synthesis = Synthesis(4, 2, 16, 1, 4)
    convs = [layer.conv for block in synthesis.blocks for layer in block.layers] + [synthesis.blocks[-1].to_rgb.conv]
    assert len(convs) == len(synthesis.style_weights) == synthesis.layers
    w, move = torch.randn(2, 1, 4)
    for conv, weights in zip(convs, synthesis.style_weights, strict=True):
        assert torch.allclose(conv.style(w + move) - conv.style(w), move @ weights.T, atol=1e-5)
    assert [noise.shape[2] for noise in synthesis.maps] == synthesis.noise_sides
