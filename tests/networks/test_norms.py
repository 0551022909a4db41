import pytest
import torch
from torch import nn

from gantrain.networks.norms import ConditionalBatchNorm2d, norm_layers, normalised


def test_batch_norm_of_one_picture_is_instance_norm():
    maps = torch.randn(1, 3, 4, 4)
    (batch,), (instance,) = norm_layers("batch", 3), norm_layers("instance", 3)
    assert torch.allclose(batch(maps), instance(maps), atol=1e-6)
    assert torch.equal(instance(maps), instance.eval()(maps))
    assert not list(instance.parameters())
    assert isinstance(batch, nn.BatchNorm2d)
    assert norm_layers("none", 3) == []


def test_conditional_batch_norm_is_batch_norm_with_a_gain_and_bias_of_the_class():
    torch.manual_seed(0)
    norm, plain, x = ConditionalBatchNorm2d(3, classes=2), nn.BatchNorm2d(3), torch.randn(4, 3, 2, 2)
    cond = torch.tensor([0, 1, 1, 0])
    assert torch.allclose(norm(x, cond), plain(x))
    with torch.no_grad():
        norm.table[1] = torch.tensor([2.0, 2.0, 2.0, 5.0, 5.0, 5.0])
    expected = torch.where((cond == 1).view(4, 1, 1, 1), 2 * plain(x) + 5, plain(x))
    assert torch.allclose(norm(x, cond), expected, atol=1e-5)
    assert torch.allclose(ConditionalBatchNorm2d(3)(x), plain(x), atol=1e-5)


def test_normalised_by_hand():
    assert normalised(torch.tensor([[3.0, -4.0]]))[0].tolist() == pytest.approx([3 / 12.5**0.5, -4 / 12.5**0.5])
