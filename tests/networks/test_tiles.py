import pytest
import torch
from torch import nn

from gantrain.networks.srgan import Generator
from gantrain.networks.tiles import tiled


def joined(network, low, scale, tile, overlap):
    whole = torch.full((*low.shape[:2], low.shape[2] * scale, low.shape[3] * scale), torch.nan)
    for (rows, columns), part in tiled(network, low, scale, tile, overlap):
        assert whole[..., rows, columns].isnan().all()  # each pixel once
        whole[..., rows, columns] = part
    return whole


@pytest.mark.parametrize("size", [(1, 1), (7, 30), (32, 32), (33, 65)])
@pytest.mark.parametrize("tile", [1, 5, 16, 100])
def test_every_pixel_comes_once_and_lies_where_it_belongs(size, tile):
    low = torch.rand(2, 3, *size)
    assert torch.equal(joined(nn.Upsample(scale_factor=2), low, 2, tile, 3), nn.Upsample(scale_factor=2)(low))


def test_tiles_are_no_larger_than_asked():
    seen = []
    list(tiled(lambda x: seen.append(x.shape[-2:]) or x, torch.rand(1, 1, 50, 90), 1, 20, 4))
    assert max(max(shape) for shape in seen) <= 28
    assert len(seen) == 3 * 5


@pytest.mark.parametrize("options", [{"upsampler": "nearest", "norm": "after"}, {"norm": "none", "skip": True}])
def test_with_the_networks_reach_there_is_no_seam(options):
    torch.manual_seed(0)
    network = Generator(4, 3, 4, 2, **options).eval()
    nn.init.normal_(network.last.weight, std=0.1)
    low = torch.rand(1, 3, 50, 40) * 2 - 1
    with torch.no_grad():
        whole = network(low)
    assert torch.allclose(joined(network, low, 4, 16, network.reach), whole, atol=1e-4)
    if not options.get("skip"):
        assert not torch.allclose(joined(network, low, 4, 16, 0), whole, atol=0.1)
