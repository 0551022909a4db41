"""Numbers of half as many bits, where they are and are not."""

import torch

from gantrain.networks.precision import LIMIT, bounded, in_float16, in_float32, widened


def test_only_narrow_numbers_are_widened():
    assert widened(torch.ones(2, dtype=torch.float16)).dtype == torch.float32
    assert widened(torch.ones(2, dtype=torch.bfloat16)).dtype == torch.float32
    assert widened(torch.ones(2, dtype=torch.float64)).dtype == torch.float64


def test_float16_alone_is_cut():
    large = torch.tensor([-2 * LIMIT, 1.0, 2 * LIMIT])
    assert bounded(large) is large
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not in_float16(large)
        assert bounded(large) is large
    with torch.autocast("cpu", dtype=torch.float16):
        assert in_float16(large)
        assert bounded(large).tolist() == [-LIMIT, 1.0, LIMIT]


def test_a_function_computes_in_float32_under_autocast():
    layer = torch.nn.Linear(3, 2)
    x = torch.randn(4, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
        made = in_float32(layer, x)
    assert torch.equal(made, layer(x))
