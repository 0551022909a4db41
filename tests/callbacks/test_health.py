"""Health looks at training, says what it finds, and changes nothing."""

import json

import pytest
from compare import differences, newest
from recorder import Recorder

from gantrain.callbacks.health import Health
from gantrain.models.loop.capture import WARM_UP
from gantrain.run.health import read_looks
from gantrain.training import fit

OFTEN = ("debug=tiny", "callbacks.health.every=1", "callbacks.samples=null", "callbacks.networks=null", "logger=none")
OFTEN += ("evaluation=none",)
NEVER = "callbacks.health=null"
FROZEN = "models.players.discriminator.optimizer.lr=0"


def looks(run):
    return read_looks(run / "metrics.jsonl")


# Dropout and batch norm, spectral norm, a pool of fakes, pairs with dropout, volumes, two stages.
@pytest.mark.parametrize(
    "experiment",
    ["dcgan_mnist", "sngan_mnist", "cyclegan_small", "pix2pix_folder", "gan3d_furniture", "srgan_photos"],
)
def test_looking_never_changes_training(experiment, gantrain, tmp_path):
    words = (f"experiment={experiment}", *OFTEN, "data.batch_size=4")
    stages = {"srgan_photos": ("pretrain", "adversarial")}.get(experiment, ("train",))
    length = [f"stages.{stage}.iterations=2" for stage in stages if stage != "train"] or ["iterations=2"]
    assert gantrain(*words, *length, "hydra.run.dir=often").code == 0
    assert gantrain(*words, *length, NEVER, "hydra.run.dir=never").code == 0
    for stage in stages:
        assert differences(newest("often", stage), newest("never", stage)) == []
        said = [look for look in looks(tmp_path / "often") if look.stage == stage]
        assert [look.iteration for look in said] == [1, 2]
        assert any(name.endswith("diversity") for name in said[0].values)
    assert not looks(tmp_path / "never")


def test_a_game_that_cannot_be_looked_at_trains_all_the_same(gantrain, monkeypatch, tmp_path):
    def broken(*_):
        raise RuntimeError("a layer of somebody's")

    monkeypatch.setattr("gantrain.evaluation.checkup.Checkup.look", broken)
    trained = gantrain(*OFTEN, "iterations=3", "callbacks.health.on=stop", "hydra.run.dir=often")
    assert trained.code == 0, trained
    assert trained.out.count("this game cannot be looked at, and is trained without: a layer of somebody's") == 1
    assert not looks(tmp_path / "often")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert gantrain(*OFTEN, "iterations=3", NEVER, "hydra.run.dir=never").code == 0
    assert differences(newest("often"), newest("never")) == []


def test_replayed_iterations_are_looked_at_between_them(gantrain, monkeypatch):
    recorders = {}
    for run, words in (("often", ()), ("never", (NEVER,))):
        recorders[run] = Recorder()
        monkeypatch.setattr(fit, "recorder_for", lambda trainer, run=run: lambda: recorders[run])
        length = f"iterations={WARM_UP + 3}"
        assert gantrain("experiment=cgan_mnist", *OFTEN, length, *words, f"hydra.run.dir={run}").code == 0
        assert recorders[run].recordings
    assert differences(newest("often"), newest("never")) == []


def test_a_resumed_run_goes_on_saying_what_it_would_have_said(gantrain, tmp_path):
    words = (*OFTEN, "experiment=dcgan_mnist", FROZEN)
    assert gantrain(*words, "iterations=3", "hydra.run.dir=stopped").code == 0
    last = looks(tmp_path / "stopped")[-1].plain()
    diverged = {**last, "values": {}, "verdict": "diverging"}  # in the iteration that followed the last checkpoint
    with (tmp_path / "stopped/metrics.jsonl").open("a") as stream:
        stream.write(json.dumps(diverged) + "\n")
        stream.write(json.dumps({**last, "iteration": 4}) + "\n")  # said after that checkpoint, before a crash
    resumed = gantrain("resume", "stopped", "iterations=6")
    assert "health:" not in resumed.out  # the verdict has not changed
    straight = gantrain(*words, "iterations=6", "hydra.run.dir=straight")
    assert straight.out.count("health: not learning: the weights of the discriminator do not move") == 1
    said = [
        [(look.iteration, look.values, look.finding) for look in looks(tmp_path / run) if look.values]
        for run in ("stopped", "straight")
    ]
    assert said[0] == said[1]
    assert [iteration for iteration, *_ in said[0]] == [1, 2, 3, 4, 5, 6]


def test_stop_ends_with_a_checkpoint_and_exit_code_3(gantrain, tmp_path):
    stopped = gantrain(*OFTEN, FROZEN, "iterations=9", "callbacks.health.on=stop", "hydra.run.dir=run")
    assert stopped.code == 3
    assert "callbacks.health.on=stop, for it is unhealthy: not learning" in stopped.out
    assert newest("run")["iteration"] == 2  # two steps are enough to see that none moves
    assert gantrain("resume", "run").code == 3
    assert gantrain("resume", "run", "callbacks.health.on=warn").code == 0
    assert newest("run")["iteration"] == 9


def test_a_job_of_a_sweep_may_be_unhealthy(gantrain, tmp_path):
    words = (*OFTEN, FROZEN, "iterations=3", "callbacks.health.on=stop", "hydra.sweep.dir=sweep", "seed=0")
    assert gantrain("-m", *words).code == 3
    assert ",unhealthy,2," in (tmp_path / "sweep/sweep.csv").read_text()


@pytest.mark.whole
def test_what_it_says_is_told_by_its_verb_and_in_the_report(gantrain, tmp_path):
    words = [word for word in OFTEN if word != "logger=none"]
    assert gantrain(*words, FROZEN, "iterations=3", "hydra.run.dir=run").code == 0
    told = gantrain("health", "run")
    assert told.code == 0
    assert "        2  not learning: the weights of the discriminator do not move" in told.out
    assert "first remedy: raise models.players.discriminator.optimizer.lr" in told.out
    assert "not measured: modes" not in told.out
    assert "separation" in told.out
    page = (tmp_path / "run/report.html").read_text()
    assert "<strong>not learning</strong>" in page
    assert "samples after 2 iterations" in page
    assert (tmp_path / "run/health/00000002.png").is_file()
    assert gantrain(*words, NEVER, "iterations=1", "hydra.run.dir=unseen").code == 0
    without = gantrain("health", "unseen")
    assert without.code == 2
    assert "callbacks.health.every" in without.err


def test_divergence_is_its_last_word(gantrain, tmp_path):
    rate = "models.players.generator.optimizer.lr=1e38"
    assert gantrain(*OFTEN, rate, "iterations=9", "hydra.run.dir=run").code == 1
    last = looks(tmp_path / "run")[-1].finding
    assert last.verdict == "diverging"
    assert "is not finite in iteration" in last.evidence[0]


def test_between_its_looks_it_does_nothing():
    class Iteration:
        iteration = 7

    health = Health(every=100)
    health.on_train_batch_start(None, Iteration)  # it would ask the trainer for its rank, the module for its networks
    health.on_train_batch_end(None, Iteration, None, {})
    assert not health.looks


def test_several_processes_stop_together_and_say_it_once(gantrain, quick_workers, tmp_path):
    words = (*OFTEN, FROZEN, "trainer.accelerator=cpu", "trainer.devices=2", "iterations=5")
    assert gantrain(*words, "callbacks.health.on=stop", "hydra.run.dir=run").code == 3
    assert [look.iteration for look in looks(tmp_path / "run")] == [1, 2]
    assert newest("run")["iteration"] == 2
