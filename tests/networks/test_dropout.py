import pytest
import torch
from torch import nn

from gantrain.networks.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9])
def test_it_drops_at_its_rate_and_keeps_the_mean(p):
    torch.manual_seed(0)
    out = Dropout(p)(torch.ones(4, 250_000))
    rate = round(p * 65536) / 65536
    assert (out == 0).float().mean().item() == pytest.approx(p, abs=0.002)  # four deviations of a million numbers
    assert out.unique().tolist() == pytest.approx([0, 1 / (1 - rate)])
    assert out.mean().item() == pytest.approx(1, abs=0.01 if p < 0.9 else 0.02)


def test_every_part_of_a_drawn_number_drops_alike_and_independently():
    torch.manual_seed(0)
    dropped = (Dropout(0.5)(torch.ones(250_000, 4)) == 0).double()  # a row is one number of 64 bits
    assert dropped.mean(0).tolist() == pytest.approx([0.5] * 4, abs=0.005)
    assert torch.allclose(dropped.T.cov(), 0.25 * torch.eye(4, dtype=torch.double), atol=0.003)


def test_gradients_pass_where_numbers_were_kept_also_those_of_gradients():
    torch.manual_seed(0)
    x = torch.randn(3, 5, dtype=torch.double, requires_grad=True)
    out = Dropout(0.25)(x)
    (slope,) = torch.autograd.grad((out**2).sum(), x, create_graph=True)
    assert torch.allclose(slope, 2 * out * (out != 0) / 0.75)
    assert torch.allclose(torch.autograd.grad(slope.sum(), x)[0], 2 * (out != 0).double() / 0.75**2)


def test_the_global_generator_decides():
    dropout, x = Dropout(0.3), torch.randn(2, 3, 7)
    torch.manual_seed(1)
    state, first = torch.get_rng_state(), dropout(x)
    assert not torch.equal(first, dropout(x))
    torch.set_rng_state(state)
    assert torch.equal(first, dropout(x))


@pytest.mark.parametrize("p", [0.0, 1e-7, 1.0])
def test_rates_that_sixteen_bits_do_not_have_are_torchs(p):
    x = torch.ones(8)
    assert torch.equal(Dropout(p)(x), nn.Dropout(p)(x))


def test_nothing_is_dropped_in_use():
    x = torch.randn(4, 6)
    assert torch.equal(Dropout(0.5).eval()(x), x)


def test_a_number_of_half_the_bits_stays_one():
    torch.manual_seed(0)
    out = Dropout(0.5)(torch.ones(64, dtype=torch.bfloat16))
    assert out.dtype == torch.bfloat16
    assert out.unique().tolist() == [0, 2]
