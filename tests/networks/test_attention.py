"""Self-attention: what it adds, what it costs, its maps."""

import pytest
import torch

from gantrain.losses.penalties import R1
from gantrain.networks.attention import SelfAttention, attention_layers


@pytest.mark.parametrize(("channels", "count"), [(64, 5_121), (32, 1_281)])
def test_numbers_of_parameters(channels, count):
    assert sum(p.numel() for p in SelfAttention(channels).parameters()) == count


def test_gamma_zero_adds_nothing():
    x = torch.randn(2, 16, 4, 4)
    assert torch.equal(SelfAttention(16)(x), x)


@pytest.mark.parametrize("options", [{}, {"pool": False, "value": 1 / 8, "bias": True}])
def test_what_it_adds_is_the_mean_of_values_by_the_softmax_of_products(options):
    torch.manual_seed(0)
    layer, x = SelfAttention(16, gamma=0.5, **options), torch.randn(2, 16, 4, 4)
    query, key, value = layer.query(x).flatten(2), *(layer.pool(c(x)).flatten(2) for c in (layer.key, layer.value))
    read = torch.softmax(query.transpose(1, 2) @ key, 2) @ value.transpose(1, 2)
    expected = x + 0.5 * layer.back(read.transpose(1, 2).reshape(2, -1, 4, 4))
    assert torch.allclose(layer(x), expected, atol=1e-5)


def test_maps_are_shares_of_where_a_place_looks():
    torch.manual_seed(0)
    layer, x = SelfAttention(16), torch.randn(2, 16, 8, 8)
    maps = layer.maps(x, torch.tensor([0, 9, 63]))
    assert maps.shape == (2, 3, 4, 4)
    assert torch.allclose(maps.sum((2, 3)), torch.ones(2, 3))
    assert SelfAttention(16, pool=False).maps(x, torch.tensor([5])).shape == (2, 1, 8, 8)


def test_a_penalty_differentiates_it_twice():
    torch.manual_seed(0)
    layer, x = SelfAttention(16, gamma=0.5, pool=False, value=1 / 8), torch.randn(2, 16, 4, 4)

    def plain(x):
        query, key, value = (conv(x).flatten(2) for conv in (layer.query, layer.key, layer.value))
        read = torch.softmax(query.transpose(1, 2) @ key, 2) @ value.transpose(1, 2)
        return x + layer.gamma * layer.back(read.transpose(1, 2).reshape(2, -1, 4, 4))

    slopes = []
    for form in (layer, plain):
        layer.zero_grad()
        R1(1.0)(lambda x, form=form: form(x).square().sum((1, 2, 3)), x).backward()
        slopes.append(layer.query.weight.grad.clone())
    assert slopes[0].abs().max() > 0
    assert torch.allclose(*slopes, rtol=1e-3, atol=1e-5)


def test_attention_layers_are_found_in_order():
    first, last = SelfAttention(8), SelfAttention(16)
    assert attention_layers(torch.nn.Sequential(first, torch.nn.ReLU(), torch.nn.Sequential(last))) == [first, last]
