"""What frozen networks from a file have in common, on one of a single weight."""

import copy
from pathlib import Path

import pytest
import torch
from torch import nn
from torch._subclasses import FakeTensorMode

from gantrain.errors import UserError
from gantrain.networks.frozen import Frozen, pixels_of


class Scaled(Frozen):
    """The sum of each channel, times a weight; the file holds its text."""

    key = "networks.scaled.path"
    ways = "write one"

    def __init__(self, path=None):
        super().__init__()
        self.path = path
        self.reads = 0

    def network_of(self, file):
        self.reads += 1
        network = nn.Conv2d(3, 3, 1, bias=False)
        if file is not None:
            with torch.no_grad():
                network.weight.copy_(float(file.read_text()) * torch.eye(3).view(3, 3, 1, 1))
        return nn.Sequential(network, nn.Dropout(0.5))


@pytest.fixture
def frozen():
    Path("two").write_text("2")
    return Scaled("two")


def test_it_is_read_once_at_its_first_use(frozen):
    assert frozen.find() == Path("two")
    assert frozen.reads == 0
    pixels = torch.rand(1, 3, 2, 2)
    for _ in range(2):
        assert torch.equal(frozen.answer(pixels), 2 * pixels)
    assert frozen.reads == 1
    assert torch.equal(copy.deepcopy(frozen).answer(pixels), 2 * pixels)


def test_it_is_no_part_of_its_owner(frozen):
    pixels = torch.rand(1, 3, 2, 2, requires_grad=True)
    owner = nn.ModuleList([frozen])
    frozen.answer(pixels).sum().backward()
    assert torch.equal(pixels.grad, torch.full_like(pixels, 2))
    assert list(owner.parameters()) == []
    assert owner.state_dict() == {}
    owner.train()
    assert torch.equal(frozen.answer(pixels), 2 * pixels)  # no dropout
    assert not any(parameter.requires_grad for parameter in frozen._held[0].parameters())


def test_it_follows_its_inputs_in_float32(frozen):
    frozen.statistics = (0.5, 0.5, 0.5), (0.25, 0.5, 1)
    pixels = torch.full((1, 3, 1, 1), 0.75)
    with torch.autocast("cpu", torch.bfloat16):
        answer = frozen.answer(pixels)
    assert answer.dtype == torch.float32
    assert answer.flatten().tolist() == [2, 1, 0.5]
    with FakeTensorMode():  # CUDA without CUDA; fake weights do not move, statistics do
        frozen.network_of = lambda file: nn.Identity()
        frozen.load()
        for device in ("cuda", "cpu"):
            assert frozen.answer(torch.empty(1, 3, 1, 1, device=device)).device.type == device


@pytest.mark.parametrize(("precision", "seen"), [(torch.bfloat16, torch.bfloat16), (torch.float16, torch.float32)])
def test_a_losses_network_follows_the_trainers_precision(frozen, precision, seen):
    """To bfloat16 alone; its answer is float32."""
    frozen.follows_precision = True
    frozen.load()
    dtypes = []
    frozen._held[0].register_forward_hook(lambda layer, inputs, made: dtypes.append(made.dtype))
    pixels = torch.full((1, 3, 1, 1), 1.00390625, requires_grad=True)  # one bit more than bfloat16 has
    with torch.autocast("cpu", precision):
        answer = frozen.answer(pixels)
    answer.sum().backward()
    frozen.answer(pixels)
    assert dtypes == [seen, torch.float32]
    assert answer.dtype == pixels.grad.dtype == torch.float32
    assert answer[0, 0].item() == (2 if seen == torch.bfloat16 else 2.0078125)


def test_untrained_is_always_the_same_and_draws_from_no_one():
    state = torch.get_rng_state()
    pixels = torch.ones(1, 3, 1, 1)
    assert Scaled("untrained").find() is None
    assert torch.equal(Scaled("untrained").answer(pixels), Scaled("untrained").answer(pixels))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_file_that_is_not_there():
    with pytest.raises(UserError, match=r"^networks\.scaled\.path: there is no file nowhere; write one$"):
        Scaled("nowhere").answer(torch.zeros(1, 3, 1, 1))


def test_pixels_are_colour_in_0_to_1():
    grey = torch.tensor([-1.0, 0, 1]).view(3, 1, 1, 1)
    assert pixels_of(grey, (-1, 1)).shape == (3, 3, 1, 1)
    assert pixels_of(grey, (-1, 1))[:, 2].flatten().tolist() == [0, 0.5, 1]
    assert pixels_of(grey.half(), (-1, 1)).dtype == torch.float32
