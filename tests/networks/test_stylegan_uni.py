"""mnistGANs' form of StyleGAN's generator."""

import torch

from gantrain.networks.stylegan_uni import Generator


def small():
    torch.manual_seed(0)
    return Generator(6, 4, 28, 1, w_dim=5)


def random_inputs(generator, n):
    return {name: torch.rand(n, *shape) for name, (_, shape) in generator.random_inputs.items()}


def test_number_of_parameters():
    assert sum(p.numel() for p in Generator(100, 64, 28, 1).parameters()) == 251_329


def test_each_style_is_of_one_of_two_latents():
    generator = small()
    z, mix = torch.randn(2, 6), torch.randn(2, 6)
    choice = torch.tensor([[0.4, 0.6, 0.4], [0.9, 0.1, 0.5]])
    ws, own, other = generator.styles(z, mix, choice), generator.mapping(z), generator.mapping(mix)
    assert torch.equal(ws[0], torch.stack([own[0], other[0], own[0]]))
    assert torch.equal(ws[1], torch.stack([other[1], own[1], other[1]]))
    assert torch.equal(generator.styles(z)[:, 2], own)


def test_training_moves_the_mean_of_w_and_use_has_noise_that_stays():
    generator, z = small(), torch.randn(3, 6)
    made = generator(z, **random_inputs(generator, 3))
    assert made.shape == (3, 1, 28, 28)
    assert made.abs().max() < 1
    assert generator.w_avg.any()
    generator.eval()
    assert torch.equal(generator(z), generator(z))
    assert not torch.allclose(generator(z), made)


def test_the_mapping_is_linear():
    generator = small()
    a, b, zero = torch.randn(1, 6), torch.randn(1, 6), torch.zeros(1, 6)
    f = generator.mapping
    assert torch.allclose(f(a + b) + f(zero), f(a) + f(b), atol=1e-6)


def test_a_trace_takes_any_number_of_samples():
    generator = small().eval().requires_grad_(False)
    traced = torch.jit.trace(generator, torch.randn(2, 6), check_trace=False)
    z = torch.randn(3, 6)
    assert torch.equal(traced(z), generator(z))
