"""Path length by hand, against finite differences, and its running mean."""

import pytest
import torch
from torch import nn

from gantrain.losses.path_length import PathLength
from gantrain.losses.penalties import PenaltyInputs
from gantrain.networks.stylegan2 import Generator


class Linear(nn.Module):
    """Pictures (n, 1, 1, 2) that are a matrix times what they are made from."""

    def __init__(self, matrix):
        super().__init__()
        self.matrix = nn.Parameter(torch.tensor(matrix))

    def forward(self, points):
        return (points.flatten(1) @ self.matrix.T)[:, None, None]


def inputs(network, points):
    return PenaltyInputs(network, points, points)


def test_penalty_and_moving_mean_of_a_linear_generator_by_hand():
    network = Linear([[3.0, 0.0], [0.0, 4.0]])
    y = torch.tensor([[1.0, 1.0], [9.0, 9.0], [0.0, 2.0], [9.0, 9.0]]).view(4, 1, 1, 2)
    penalty = PathLength(weight=2.0, every=4, move=0.5)
    # of every second sample J^T y / sqrt 2 is (3, 4) and (0, 8) over sqrt 2: lengths 5 and 8 over sqrt 2
    a, b = 5 / 2**0.5, 8 / 2**0.5
    mean = (a + b) / 2  # that of the first batch
    value = penalty.at(inputs(network, torch.randn(4, 2)), y)
    assert value.item() == pytest.approx(2 * 4 * ((a - mean) ** 2 + (b - mean) ** 2) / 2, rel=1e-5)
    assert penalty.mean.item() == pytest.approx(mean)
    value = penalty.at(inputs(network, torch.randn(4, 2)), 3 * y)
    moved = (mean + 3 * mean) / 2  # half the way to the second's
    assert value.item() == pytest.approx(2 * 4 * ((3 * a - moved) ** 2 + (3 * b - moved) ** 2) / 2, rel=1e-5)


def test_of_layers_it_is_the_root_of_their_mean_square():
    network = Linear([[3.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 4.0]])  # of points (1, 2, 2): a row for each layer
    penalty = PathLength(weight=1.0, every=1, move=1.0)
    penalty.at(inputs(network, torch.randn(1, 2, 2)), torch.ones(1, 1, 1, 2))
    assert penalty.mean.item() == pytest.approx(((9 + 16) / 2 / 2) ** 0.5)


def test_its_mean_moves_and_is_saved():
    network, points, y = Linear([[1.0, 0.0], [0.0, 1.0]]), torch.randn(2, 2), torch.ones(2, 1, 1, 2)
    first = PathLength(move=0.01)
    first.at(inputs(network, points), y)
    first.at(inputs(network, points), 2 * y)
    first.at(inputs(network, points), 2 * y)
    assert first.mean.item() == pytest.approx(2 - 0.99**2)
    second = PathLength(move=0.01)
    second.load_state_dict(first.state_dict(), torch.device("cpu"))
    assert torch.equal(first.at(inputs(network, points), y), second.at(inputs(network, points), y))
    for bad in (torch.tensor(float("nan")), torch.tensor(-1.0), torch.zeros(2), 1.0):
        with pytest.raises(ValueError, match="mean path length"):
            second.load_state_dict({"mean": bad}, torch.device("cpu"))


def test_what_is_not_finite_does_not_move_the_mean():
    penalty = PathLength()
    penalty.at(inputs(Linear([[float("nan"), 0.0], [0.0, 1.0]]), torch.randn(1, 2)), torch.ones(1, 1, 1, 2))
    assert penalty.mean.item() == 0


def test_a_move_of_nothing_is_refused():
    with pytest.raises(ValueError, match="move is 0"):
        PathLength(move=0)


def test_its_gradient_against_finite_differences():
    """Of every weight of the generator that it pulls at, mapping and styles too, in float64."""
    torch.manual_seed(0)
    generator = Generator(4, width=2, size=8, channels=1, top=4, mapping=2).double()
    z, y = torch.randn(4, 4).double(), torch.randn(4, 1, 8, 8).double()

    def value():
        penalty = PathLength(weight=1.0, every=1, move=1e-12)  # the mean is a target that stays
        penalty.mean = penalty.mean.double() + 0.5
        ws = generator.styles(z)
        return penalty.at(PenaltyInputs(generator.synthesis, ws, ws), y)

    weights = {
        "mapping.layers.0.weight": 0.03,  # slow weights are large
        "synthesis.constant": 1e-4,
        "synthesis.blocks.1.layers.0.conv.weight": 1e-4,
        "synthesis.blocks.1.layers.1.conv.style.weight": 1e-4,
        "synthesis.blocks.1.to_rgb.conv.weight": 1e-4,
    }
    value().backward()
    named = dict(generator.named_parameters())
    for name, step in weights.items():
        weight, direction = named[name], torch.randn(named[name].shape, dtype=torch.float64)
        with torch.no_grad():
            weight += step * direction
            above = value()
            weight -= 2 * step * direction
            below = value()
            weight += step * direction
        slope = (weight.grad * direction).sum().item()
        assert abs(slope) > 1e-8, name
        assert ((above - below) / (2 * step)).item() == pytest.approx(slope, rel=1e-4), name


def test_styles_that_autocast_made_are_looked_at_in_float32():
    network, w = Linear([[3.0, 0.0], [0.0, 4.0]]), torch.randn(4, 2, requires_grad=True)
    y, values = torch.randn(4, 1, 1, 2), []
    for styles in (w.bfloat16(), w.bfloat16().float()):
        with torch.autocast("cpu", torch.bfloat16):
            values.append(PathLength().at(inputs(network, styles), y))
    assert values[0] == values[1]
    values[0].backward()
    assert network.matrix.grad.abs().sum() > 0
