"""The exponential moving average."""

import pytest
import torch
from torch import nn

from gantrain.models.loop.ema import EMA
from gantrain.ramps import Linear


def networks(value=0.0):
    network = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    nn.init.constant_(network[0].weight, value)
    return {"generator": network}


def test_half_life_in_images():
    ema, nets = EMA(["generator"], half_life_images=100), networks(0.0)
    ema.start(nets)
    nn.init.constant_(nets["generator"][0].weight, 1.0)
    for seen in range(0, 100, 10):
        ema.update(nets, ema.decay(10, seen))
    assert ema.copies["generator"][0].weight.item() == pytest.approx(0.5)


def test_a_half_life_may_change_over_the_images_seen():
    ema = EMA(["generator"], half_life_images=Linear(0.0, 100.0, images=1000))
    assert [ema.decay(10, seen) for seen in (0, 100, 5000)] == pytest.approx([0.0, 0.5, 0.5**0.1])
    with pytest.raises(ValueError, match=r"half_life_images is -1.0 to 5.0, it must not be negative"):
        EMA(["generator"], half_life_images=Linear(-1.0, 5.0, images=10))


def test_ramp_up_forgets_the_start():
    ema = EMA(["generator"], half_life_images=1000, ramp_up=0.05)
    assert ema.decay(10, 0) == 0.0
    assert ema.decay(10, 200) == pytest.approx(0.5)  # half-life 0.05 * 200 = 10 images
    assert ema.decay(10, 10**6) == pytest.approx(0.5 ** (10 / 1000))


def test_buffers_are_copied_and_the_copy_is_frozen():
    ema, nets = EMA(["generator"], half_life_images=100), networks()
    ema.start(nets)
    nets["generator"](torch.randn(8, 1))
    ema.update(nets, ema.decay(8, 0))
    average = ema.copies["generator"]
    assert torch.equal(average[1].running_mean, nets["generator"][1].running_mean)
    assert average[1].num_batches_tracked == 1
    assert not average.training
    assert not any(p.requires_grad for p in average.parameters())


def test_a_half_life_must_be_positive():
    with pytest.raises(ValueError, match="half_life_images"):
        EMA([], 0)


@pytest.mark.parametrize(
    "norm", [nn.utils.spectral_norm, nn.utils.weight_norm, nn.utils.parametrizations.spectral_norm]
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_network_with_derived_weights_is_copied_after_it_has_trained(norm):
    network = nn.Sequential(norm(nn.Linear(3, 4)), nn.ReLU())
    network(torch.randn(2, 3)).sum().backward()
    ema = EMA(["generator"], half_life_images=10)
    ema.start({"generator": network})
    x = torch.randn(5, 3)
    before = network.eval()(x)
    assert torch.equal(ema.copies["generator"](x), before)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(3)
    assert torch.equal(ema.copies["generator"](x), before)  # a copy of its own


def test_a_network_without_weights_has_nothing_to_average():
    network = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(2, affine=False))
    ema = EMA(["generator"], half_life_images=10)
    ema.start({"generator": network})
    network(torch.ones(4, 2))
    ema.update({"generator": network}, 0.5)
    assert torch.equal(ema.copies["generator"][1].running_mean, network[1].running_mean)
