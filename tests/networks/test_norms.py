import torch
from torch import nn

from gantrain.networks.norms import norm_layers


def test_batch_norm_of_one_picture_is_instance_norm():
    maps = torch.randn(1, 3, 4, 4)
    (batch,), (instance,) = norm_layers("batch", 3), norm_layers("instance", 3)
    assert torch.allclose(batch(maps), instance(maps), atol=1e-6)
    assert torch.equal(instance(maps), instance.eval()(maps))
    assert not list(instance.parameters())
    assert isinstance(batch, nn.BatchNorm2d)
    assert norm_layers("none", 3) == []
