"""Iterations of every kind of experiment can be recorded: what is replayed is what would be played, bit for bit."""

import json
from pathlib import Path

import pytest
from compare import differences, newest
from recorder import Recorder
from test_experiments import DISTINCT, SMALLER

from gantrain.config.compose import composed
from gantrain.config.stages import stages_of
from gantrain.models.loop import rounds
from gantrain.models.loop.capture import WARM_UP
from gantrain.training import fit

# RMSprop can be recorded on a GPU alone; a beta that changes nowhere.
EAGER = {"wgan_mnist", "r3gan_ffhq64", "stackgan_birds"}
# Kinds of iterations that are equally often; with a lazy penalty more are needed until there are enough without it.
TURNS = dict.fromkeys(("stacked_mnist", "stylegan2_mnist"), 2)
QUICK = ("callbacks.samples=null", "callbacks.networks=null", "logger=none", "evaluation=none")


@pytest.mark.parametrize("experiment", DISTINCT)
def test_replayed_is_played(experiment, gantrain, monkeypatch):
    words = (f"experiment={experiment}", "debug=tiny", *SMALLER.get(experiment, ()))
    stages = stages_of(composed(words, None))
    length = WARM_UP * TURNS.get(experiment, 1) + 2
    words += (*QUICK, *(f"{stage.key('iterations')}={length}" for stage in stages))
    if stages[0].config["data"]["batch_size"] > 2 and len(stages) == 1:
        words += ("data.batch_size=2",)
    recorders = {}
    for run, never in (("replayed", False), ("played", True)):
        recorders[run] = Recorder(never)
        monkeypatch.setattr(fit, "recorder_for", lambda trainer, run=run: lambda: recorders[run])
        done = gantrain(*words, f"hydra.run.dir={run}")
        assert done.code == 0, done
    if experiment not in EAGER:
        assert len(recorders["replayed"].recordings) >= len(stages)
    for stage in stages:
        assert differences(newest("played", stage.name), newest("replayed", stage.name)) == []


def test_rounds_of_iterations_leave_what_single_ones_leave(gantrain, monkeypatch):
    """Callbacks act at the iterations at which they would; a run that is stopped in between goes on the same."""
    words = ("experiment=dcgan_digits", "debug=tiny", "iterations=23", "callbacks.metrics.every=5", "evaluation=none")
    words += ("callbacks.samples.every=8", "callbacks.networks=null", "logger=none", "callbacks.health.every=10")
    monkeypatch.setattr(fit, "recorder_for", lambda trainer: lambda: Recorder(never=True))
    monkeypatch.setattr(rounds, "LONGEST", float("inf"))
    steps, step = [], fit.GANModule.training_step

    def counted(self, dataloader_iter):
        steps.append(1)
        step(self, dataloader_iter)

    monkeypatch.setattr(fit.GANModule, "training_step", counted)
    assert gantrain(*words, "hydra.run.dir=rounds").code == 0
    assert len(steps) == len([1, 5, 8, 9, 10, 15, 16, 19, 20, 23])  # where each round ends
    assert gantrain(*words, "iterations=11", "hydra.run.dir=stopped").code == 0
    assert gantrain("resume", "stopped", "iterations=23").code == 0
    monkeypatch.setattr(fit, "Rounds", lambda rhythms, alone: rounds.one)
    assert gantrain(*words, "hydra.run.dir=single").code == 0
    for run in ("rounds", "stopped"):
        assert differences(newest("single"), newest(run)) == []
    for pattern in ("samples/*.png", "metrics.jsonl"):
        assert made("rounds", pattern) == made("single", pattern)


def made(run, pattern):
    """Names and contents, without what the clock says."""
    contents = {}
    for file in Path(run).glob(pattern):
        contents[file.name] = file.read_bytes()
        if file.suffix == ".jsonl":
            records = [json.loads(line) for line in file.read_text().splitlines()]
            contents[file.name] = [
                {**record, "seconds": 0, "values": {**record["values"], "images_per_second": 0}} for record in records
            ]
    return contents
