"""The search for a photo's style."""

import pytest
import torch
from torch import nn

from gantrain.inference.likeness import Likeness
from gantrain.inference.style_projection import RATE, StyleProjection, rate_at, roughness
from gantrain.networks import stylegan1, stylegan_uni
from gantrain.networks.stylegan2 import Synthesis


def search(synthesis, centre, **options):
    pixels = Likeness("pixels", lambda pictures: [pictures], pixels=False)
    return StyleProjection(synthesis, centre, 1.0, pixels, **{"steps": 40, **options})


def test_the_style_of_a_made_picture_is_found_and_weights_stay():
    torch.manual_seed(0)
    synthesis = Synthesis(4, 2, 8, 1, 4)
    before = {name: value.clone() for name, value in synthesis.state_dict().items()}
    ws = torch.randn(1, synthesis.layers, 4)
    with torch.no_grad():
        photo = synthesis(ws)[0]
    near, nearer = (search(synthesis, torch.zeros(4), each_layer=each) for each in (False, True))
    mean = near.apart(torch.zeros(synthesis.layers, 4), photo)
    style = near(photo)
    assert style.shape == (synthesis.layers, 4)
    assert torch.equal(style[0], style[-1])
    assert near.apart(style, photo) < mean / 2
    assert nearer.apart(nearer(photo), photo) < near.apart(style, photo)
    assert torch.equal(near(photo), style)  # a seed, a style
    assert not torch.equal(search(synthesis, torch.zeros(4), seed=1)(photo), style)
    for name, value in synthesis.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(weight.grad is None for weight in synthesis.parameters())


class Noted(nn.Module):
    """A flat picture of the style's first number and the noise's mean; it notes the maps of noise that it gets."""

    layers = 1

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.maps = [torch.arange(64.0).view(1, 1, 8, 8)]
        self.seen = []

    def forward(self, ws, noise=None):
        self.seen.append(None if noise is None else noise[0].detach().clone())
        return ws[:, :1, :1, None].expand(-1, 1, 4, 4) + (0 if noise is None else noise[0].mean())


def test_noise_is_fitted_too_kept_normal_and_dropped():
    synthesis = Noted()
    found = search(synthesis, torch.zeros(2), steps=200)
    style = found(torch.full((1, 4, 4), 3.0))
    assert torch.equal(synthesis.seen[0], synthesis.maps[0])
    assert torch.equal(synthesis.maps[0].flatten(), torch.arange(64.0))  # the generator's own stays
    for seen in synthesis.seen[1:]:
        assert seen.mean().abs() < 1e-5
        assert seen.square().mean().item() == pytest.approx(1, abs=1e-4)
    assert style[0, 0].item() == pytest.approx(3, abs=0.1)  # as the noise calms down
    assert found.made(style)[0, 0, 0, 0] == style[0, 0]
    assert synthesis.seen[-1] is None


def test_rates_by_hand():
    assert rate_at(0) == 0
    assert rate_at(0.025) == pytest.approx(RATE / 2)
    assert rate_at(0.05) == rate_at(0.75) == pytest.approx(RATE)
    assert rate_at(0.875) == pytest.approx(RATE / 2)
    assert rate_at(1) == pytest.approx(0)


def test_roughness_by_hand():
    stripes = torch.tensor([1.0, -1.0]).repeat(8).expand(1, 1, 16, 16)
    # along rows neighbours always differ (-1), along columns they never do (1); at half the size it is all 0
    assert roughness([stripes]).item() == 2
    assert roughness([torch.ones(1, 1, 16, 16), torch.ones(1, 1, 4, 4)]).item() == 6


@pytest.mark.parametrize(
    "synthesis", [stylegan1.Synthesis(4, 2, 8, 1, 4), stylegan_uni.Synthesis(4, 2, 8, 1)], ids=["stylegan1", "uni"]
)
def test_other_generators_have_what_it_asks_for(synthesis):
    assert [noise.shape[2] for noise in synthesis.maps] == synthesis.noise_sides
    assert [weights.shape[1] for weights in synthesis.style_weights] == [4] * synthesis.layers
    with torch.no_grad():
        ws = torch.randn(1, synthesis.layers, 4)
        assert torch.equal(synthesis(ws), synthesis(ws, synthesis.maps))
    assert search(synthesis, torch.zeros(4), steps=2)(torch.zeros(1, 8, 8)).shape == (synthesis.layers, 4)
