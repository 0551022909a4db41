"""Recorded iterations: what is replayed is what would have been played, programme by programme."""

import copy
from functools import partial

import pytest
import torch
from compare import differences
from recorder import Recorder
from torch import nn
from toys import Discriminator, Generator, game, play

from gantrain.losses.penalties import DRAGAN, R1, GradientPenalty
from gantrain.models.latent import LatentGAN
from gantrain.models.loop.capture import WARM_UP
from gantrain.models.loop.ema import EMA
from gantrain.models.players import ClipWeights, Player, PlaysWhen
from gantrain.ramps import Cosine, Linear
from gantrain.run.checkpoint import checkpoint_of


def player(*networks, kind=torch.optim.Adam, lr=0.01, how=None, **options):
    """As a config makes one: of a partial, which says what its class is."""
    return Player(list(networks), partial(kind, lr=lr, **(how or {})), **options)


def captured(recorder, iterations=12, resume=None, players=None, judge=None, **options):
    torch.manual_seed(1)
    networks = {
        "generator": Generator(),
        "discriminator": judge or nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1), nn.Flatten(0)),
    }
    players = {"discriminator": player("discriminator"), "generator": player("generator"), **(players or {})}
    module = game(networks=networks, **players, **options)
    module.recorder, module.resume_from = lambda: recorder, resume
    return play(module, iterations)


def state(module):
    return checkpoint_of(module, "")


def halved(optimizer):
    return torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)


GAMES = {
    "plain": {},
    "averaged": {"ema": EMA(["generator"], half_life_images=50, ramp_up=0.1)},
    "lazy penalty": {"penalties": {"r1": R1(1.0, every=3)}},
    "between": {"penalties": {"gp": GradientPenalty(1.0)}, "fresh_noise": True},
    "rhythms": {"players": {"generator": player("generator", every=3)}},
    "condition": {"players": {"discriminator": player("discriminator", plays_when=PlaysWhen("accuracy", 0.55))}},
    "clipped": {
        "players": {"discriminator": player("discriminator", kind=torch.optim.SGD, after_step=ClipWeights(0.05))}
    },
    "bounded": {"players": {"generator": player("generator", clip_gradients=0.01)}},
    "parts": {"microbatches": 2},
    "skipping": {"on_divergence": "skip"},
    "schedule": {"players": {"generator": player("generator", schedule=halved)}},
    "around": {"penalties": {"dragan": DRAGAN(1.0)}},
    "ramps": {
        "players": {"generator": player("generator", lr=Cosine(0.01, 0.001, images=80))},
        "penalties": {"r1": R1(Linear(1.0, 0.0, images=80))},
        "ema": EMA(["generator"], half_life_images=Cosine(0.0, 50.0, images=80)),
    },
}


@pytest.mark.parametrize("name", GAMES)
def test_replayed_is_played(name):
    recorder = Recorder()
    played, replayed = (captured(r, **copy.deepcopy(GAMES[name])) for r in (Recorder(never=True), recorder))
    assert recorder.recordings
    assert differences(state(played), state(replayed)) == []


def test_a_programme_for_each_kind_of_iteration():
    recorder = Recorder()
    module = captured(recorder, 30, penalties={"r1": R1(1.0, every=3)})
    assert len(recorder.recordings) == 2  # with R1 and without
    assert [programme.runs for programme in module.capture.programmes.values()] == [10, 20]


class Stateless(LatentGAN):
    """Its data are drawn as well, so that they go on where a run goes on."""

    def draw(self, batch):
        return {**super().draw(batch), "real": self.noise(batch, 4, key="real") + 2}


def test_half_and_half_is_whole():
    options = {"family": Stateless, "penalties": {"r1": R1(1.0, every=3)}}
    straight = captured(Recorder(), 20, ema=EMA(["generator"], 50), **options)
    half = state(captured(Recorder(), 10, ema=EMA(["generator"], 50), **options))
    again = captured(Recorder(), 20, resume=half, ema=EMA(["generator"], 50), **options)
    assert differences(state(straight), state(again)) == []


class Waits(LatentGAN):
    """Its losses ask for a value on the host."""

    def losses(self, name, batch, shared):
        terms, stats = super().losses(name, batch, shared)
        return ({key: value * 1.0 for key, value in terms.items()} if shared.sum().item() else terms), stats


def test_what_cannot_be_recorded_is_played(capsys):
    module = captured(Recorder(), family=Waits)
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "iterations are not captured, which is slower: aten._local_scalar_dense.default makes the host wait"
    ]
    assert differences(state(module), state(captured(Recorder(never=True), family=Waits))) == []


def test_what_waited_while_it_warmed_up_is_not_recorded(capsys):
    recorder = Recorder()
    recorder.waits = "the host waits in mine.py:3"
    module = captured(recorder)
    assert recorder.recordings == []
    assert capsys.readouterr().out.count("which is slower: the host waits in mine.py:3") == 1
    assert differences(state(module), state(captured(Recorder(never=True)))) == []


class Compiling(Recorder):
    """The host waits in the first warm-up of each kind of iteration, as where kernels are compiled and chosen."""

    def __init__(self, first):
        super().__init__()
        self.first, self.warmed = first, 0

    def warm(self):
        self.warmed += 1
        self.waits = "the host compiles" if self.warmed in self.first else None
        return super().warm()


def test_what_waits_at_first_is_recorded_also_between_others():
    recorder = Compiling(first=(1, 4))  # the discriminator alone thrice, both, and the fifth iteration is recorded
    captured(recorder, 20, players={"generator": player("generator", every=4)})
    assert len(recorder.recordings) == 2


def test_what_reads_the_host_is_not_recorded(capsys):
    class Reads(LatentGAN):
        capturable = False

    assert captured(Recorder(), 2, family=Reads).capture is None
    follows = player("generator", after_step=lambda turn: None)
    assert captured(Recorder(), 2, players={"generator": follows}).capture is None
    told = {"betas": [0.0, Cosine(0.9, 0.99, images=80)]}
    assert captured(Recorder(), 2, players={"generator": player("generator", how=told)}).capture is None
    said = capsys.readouterr().out
    assert "models.players.generator.optimizer.betas changes" in said
    assert "its family says" in said
    assert "models.players.generator.after_step reads the host" in said


class Infinite(LatentGAN):
    """One iteration's latents are not finite."""

    at = WARM_UP + 3

    def draw(self, batch):
        drawn = super().draw(batch)
        return {key: value / 0 for key, value in drawn.items()} if self.iteration == self.at else drawn


@pytest.mark.parametrize(
    ("kind", "how"), [(torch.optim.Adam, {}), (torch.optim.SGD, {"momentum": 0.9}), (torch.optim.RMSprop, {})]
)
def test_a_bad_step_is_never_taken(kind, how):
    players = {name: player(name, kind=kind, how=how) for name in ("discriminator", "generator")}
    module = captured(
        Recorder(),
        family=Infinite,
        players=players,
        judge=Discriminator(norm=True),
        on_divergence="skip",
        ema=EMA(["generator"], 50),
    )
    assert all(torch.isfinite(value).all() for value in module.state_dict().values())
    assert all(value == value for value in module.meters.pop().values())
    assert module.iteration == 12
    said = f"the loss of player 'discriminator' is not finite in iteration {Infinite.at + 1}"
    assert module.divergence.told() == said
