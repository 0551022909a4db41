"""Checkpoints that hold other things than expected end in one sentence."""

import copy
import zipfile

import pytest
import torch
from toys import counts, game, play, player

from gantrain.errors import UserError
from gantrain.models.loop.ema import EMA
from gantrain.run.checkpoint import checkpoint_of, load_generators, load_networks, read_checkpoint


@pytest.fixture(scope="module")
def saved():
    module = play(game(ema=EMA(["generator"], 10)), 2)
    return checkpoint_of(module, "")


def resumed(state):
    module = game(ema=EMA(["generator"], 10), seed=1)
    module.resume_from = state
    return play(module, 3)


def test_it_goes_on_from_what_is_saved(saved):
    module = resumed(saved)
    assert (module.iteration, module.images_seen, module.turns["generator"]) == (3, 24, 3)
    assert counts(module)["generator/adv"] == 3


@pytest.mark.parametrize(
    ("key", "junk"),
    [
        ("networks", {"generator": 5}),
        ("networks", None),
        ("ema", {"generator": [1]}),
        ("optimizers", {"discriminator": 5}),
        ("optimizers", 5),
        ("iteration", "two"),
        ("turns", {"discriminator": None}),
        ("statistics", {"discriminator": "high"}),
        ("statistics", 5),
        ("meters", []),
        ("meters", [5]),
        ("rng", 5),
        ("rng", [5]),
        ("rng", [{"python": 1}]),
        ("rng", [{"python": [3, ["a"], None], "numpy": [1, 2, 3, 4, 5], "torch": "x"}]),
    ],
)
def test_values_of_other_kinds(saved, key, junk):
    for state in ({**saved, key: junk}, {k: v for k, v in saved.items() if k != key}):
        with pytest.raises(UserError, match=r"is not what the checkpoint holds .*; undo the edit"):
            resumed(state)


def test_networks_alone(saved):
    module = game(seed=3)
    load_networks(module, saved)
    assert torch.equal(module.networks["generator"].layers[0].weight, saved["networks"]["generator"]["layers.0.weight"])
    with pytest.raises(UserError, match="undo the edit"):
        load_networks(module, {"networks": {"generator": 5}})


def test_a_process_more_than_the_checkpoint_knew(saved):
    assert load_generators(saved, 0, torch.device("cpu"))
    assert not load_generators(saved, 1, torch.device("cpu"))


def _set(*path, value):
    def change(state):
        *places, last = path
        for place in places:
            state = state[place]
        state[last] = value

    return change


OTHERS = {
    "moment": _set("optimizers", "generator", "state", 0, "exp_avg", value="x"),
    "moment's shape": _set("optimizers", "generator", "state", 0, "exp_avg", value=torch.zeros(3, 2)),
    "meters": _set("meters", 0, "groups", value=[[["a"], "x", 1]]),
    "meters' count": _set("meters", 0, "groups", value=[[["a"], torch.zeros(1), "x"]]),
    "meters' shape": _set("meters", 0, "groups", value=[[["a"], torch.zeros(2), 1]]),
    "statistics": _set("statistics", "generator", value=[]),
    "turns": _set("turns", "generator", value="x"),
    "sparse": _set("networks", "generator", "x", value=torch.eye(2).to_sparse()),
    "strides": _set("networks", "generator", "x", value=torch.zeros(1).expand(1 << 40)),
}


@pytest.mark.parametrize("what", OTHERS)
def test_values_of_other_kinds_are_refused_in_one_sentence(what, gantrain, run):
    file = run / "checkpoints/train/00000002.ckpt"
    state = torch.load(file, weights_only=True)
    OTHERS[what](state)
    torch.save(state, file)
    result = gantrain("resume", "run", "iterations=3")
    assert result.code == 2, result
    assert "Traceback" not in result.err
    assert result.err.splitlines()[-1].startswith("gantrain: ")


def test_a_packed_checkpoint_is_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.ckpt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", bytes(50 << 20))
    with pytest.raises(zipfile.BadZipFile, match="packed"):
        read_checkpoint(tmp_path / "x.ckpt")


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.Adafactor, torch.optim.NAdam, torch.optim.RMSprop])
def test_optimizers_of_every_kind_go_on(optimizer):
    def made(seed):
        players = {name: player(name, optimizer=optimizer) for name in ("generator", "discriminator")}
        return game(seed=seed, **players)

    state = checkpoint_of(play(made(0), 2), "")
    del state["optimizers"]["generator"]["param_groups"][0]["weight_decay"]  # as an earlier torch, which lacked options
    module = made(1)
    module.resume_from = state
    assert play(module, 3).iteration == 3


CHANGES = (
    lambda kept: kept.pop("exp_avg"),
    lambda kept: kept.update(exp_avg=torch.zeros(())),
    lambda kept: kept.update(exp_avg=None),
    lambda kept: kept.update(step=torch.ones(2)),
)


def test_a_moment_that_one_weight_has_and_another_lacks(saved):
    for change in CHANGES:
        state = copy.deepcopy(saved)
        change(state["optimizers"]["generator"]["state"][0])
        with pytest.raises(UserError, match=r"is not what the checkpoint holds \(an optimizer"):
            resumed(state)


@pytest.mark.parametrize("iterations", [2**70, 4, -1])
def test_more_iterations_than_the_run_has(saved, iterations):
    with pytest.raises(UserError, match="it is of"):
        resumed({**saved, "iteration": iterations})
