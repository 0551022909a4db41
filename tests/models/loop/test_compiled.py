"""Compiled forward passes: training alone calls them, and nobody else can tell."""

import contextlib
import copy
from functools import partial

import pytest
import pytorch_lightning as pl
import torch
from compare import differences
from functorch.compile import make_boxed_compiler
from recorder import Recorder
from torch import nn
from torch._dynamo.backends.common import aot_autograd
from toys import Discriminator, Generator, game, play

from gantrain.errors import UserError
from gantrain.losses.penalties import R1, GradientPenalty
from gantrain.models.latent import LatentGAN
from gantrain.models.loop import compiled as module
from gantrain.models.loop.compiled import Compiled, check_compiler
from gantrain.models.loop.ema import EMA
from gantrain.models.players import Player
from gantrain.run.checkpoint import checkpoint_of


class Graphs(list):
    """A backend that runs what it gets as it is, and keeps it."""

    def __call__(self, graph, inputs):
        self.append(graph)
        return graph.forward


def trained(backend, monkeypatch, iterations=3, resume=None, callbacks=(), recorder=None, judge=None, **options):
    torch.manual_seed(1)
    networks = {"generator": Generator(), "discriminator": (judge or partial(Discriminator, norm=True))()}
    players = {name: Player([name], partial(torch.optim.Adam, lr=0.01)) for name in networks}
    made = game(networks=networks, ema=EMA(["generator"], 50), **players, **options)
    made.resume_from, made.recorder = resume, recorder
    if backend is not None:
        monkeypatch.setattr(module, "BACKEND", backend)
        made.compiled = Compiled(made.networks.values())
    return play(made, iterations, callbacks=callbacks)


def state(made):
    return checkpoint_of(made, "")


@pytest.mark.parametrize("penalties", [{}, {"r1": R1(1.0, every=2), "gp": GradientPenalty(1.0)}])
def test_compiled_trains_as_eager(penalties, monkeypatch):
    options = {"penalties": penalties, "judge": Discriminator}
    eager = trained(None, monkeypatch, **options)
    made = trained("aot_eager", monkeypatch, **options)
    assert list(made.state_dict()) == list(eager.state_dict())
    for name, value in eager.state_dict().items():
        assert torch.allclose(made.state_dict()[name], value, atol=1e-5), name


def test_penalties_need_the_eager_network(monkeypatch):
    """What the others rely on: a gradient's gradient stops at a compiled pass."""
    monkeypatch.setattr(Compiled, "left_out", lambda self: contextlib.nullcontext())
    with pytest.raises(RuntimeError, match=r"double backward|donated buffers"):
        trained("aot_eager", monkeypatch, penalties={"r1": R1(1.0)}, judge=Discriminator)


def test_it_is_a_network_like_any_other_outside_of_an_iteration(monkeypatch):
    graphs, seen = Graphs(), []

    class Looks(pl.Callback):
        def on_train_batch_end(self, trainer, made, *_):
            count = len(graphs)
            for network in made.networks.values():
                seen.append("forward" in vars(network) or "forward" in vars(copy.deepcopy(network)))
            made.networks["generator"](torch.zeros(5, 3))
            made.ema.copies["generator"](torch.zeros(5, 3))
            assert len(graphs) == count

    trained(graphs, monkeypatch, callbacks=[Looks()])
    assert len(graphs) == 3  # the generator; the discriminator, trained and frozen
    assert seen == [False] * 6


def test_half_and_half_is_whole(monkeypatch):
    def one(iterations, resume=None):
        return state(trained("aot_eager", monkeypatch, iterations, resume, judge=dropping, family=Drawn))

    assert differences(one(6), one(6, one(3))) == []


def dropping():
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1), nn.Flatten(0))


class Drawn(LatentGAN):
    """Its data are drawn as well, so that they go on where a run goes on."""

    def draw(self, batch):
        return {**super().draw(batch), "real": self.noise(batch, 4, key="real") + 2}


def test_captured_iterations_are_of_compiled_networks(monkeypatch):
    recorder, graphs = Recorder(), Graphs()
    made = trained(graphs, monkeypatch, 8, recorder=lambda: recorder)
    assert recorder.recordings
    assert graphs
    eager = trained(None, monkeypatch, 8, recorder=lambda: Recorder(never=True))
    assert differences(state(made), state(eager)) == []


def test_what_cannot_be_compiled_is_played(monkeypatch, capsys):
    def broken(graph, inputs):
        raise ValueError("it has\nno such kernel")

    made = trained(broken, monkeypatch)
    said = capsys.readouterr().out
    assert said.count("Generator is not compiled, which is slower: ") == 1
    assert said.count("Discriminator is not compiled, which is slower: ") == 1
    assert "it has no such kernel" in said
    assert differences(state(made), state(trained(None, monkeypatch))) == []


def test_what_cannot_be_compiled_backwards_is_played_as_well(monkeypatch, capsys):
    """Its backward pass is compiled with the first forward one, when nothing has been accumulated yet."""

    def broken(graph, inputs):
        raise ValueError("it has no such kernel")

    made = trained(aot_autograd(fw_compiler=make_boxed_compiler(Graphs()), bw_compiler=broken), monkeypatch)
    said = capsys.readouterr().out
    for name in ("Generator", "Discriminator"):
        assert said.count(f"{name} is not compiled, which is slower: ") == 1
    assert differences(state(made), state(trained(None, monkeypatch))) == []


def test_an_error_of_the_network_is_its_own(monkeypatch):
    class Wrong(Discriminator):
        def forward(self, x):
            raise ArithmeticError("mine")

    with pytest.raises(ArithmeticError, match="mine"):
        trained(Graphs(), monkeypatch, judge=Wrong)


def test_a_machine_that_cannot_compile(monkeypatch):
    def broken(graph, inputs):
        raise OSError("there is no g++")

    monkeypatch.setattr(module, "BACKEND", broken)
    with pytest.raises(UserError, match=r"trainer\.compile=default: .*there is no g\+\+.*set it to none"):
        check_compiler("default", "cpu")
    monkeypatch.setattr(module, "BACKEND", "eager")
    check_compiler("default", "cpu")
