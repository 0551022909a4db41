"""Two processes: the same numbers as one with the double batch, and exact resume."""

import time
from pathlib import Path

import pytest
import torch
from compare import differences, newest
from test_experiments import SMALLER

from gantrain.callbacks.checkpoints import Checkpoints
from gantrain.run.metrics import read_records

# Perceptrons without batch norm and dropout: those look at a process' own half of the batch. Classes, codes and labels
# that are drawn, at once.
WORDS = (
    *("experiment=gan_mnist_keras", "debug=tiny", "trainer.accelerator=cpu", "data.augment.flip=true"),
    *("models.ema={networks:[generator],half_life_images:100,ramp_up:0.05}", "callbacks.metrics.every=1"),
    "losses.penalties.r1={_target_:gantrain.losses.penalties.R1,weight:1.0,every:2}",
    "losses.penalties.gp={_target_:gantrain.losses.penalties.GradientPenalty,weight:1.0}",
    *("models=conditional", "+networks.generator.classes=10", "+networks.discriminator.classes=10"),
    "+losses.auxiliary={_target_:gantrain.losses.auxiliary.Codes,categorical:10,continuous:2}",
    *("+networks.discriminator.auxiliary=12", "losses.adversarial.flip=0.3", "losses.adversarial.real=[0.8,1.0]"),
    "losses.adversarial.generator=[0.7,1.0]",
)


def test_two_processes_equal_one_with_the_double_batch(gantrain, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("OMP_NUM_THREADS")  # Lightning divides the cores where it is not set
    threads, start = [], Checkpoints.on_train_start
    monkeypatch.setattr(
        Checkpoints, "on_train_start", lambda *args: threads.append(torch.get_num_threads()) or start(*args)
    )
    one = gantrain(*WORDS, "iterations=4", "data.batch_size=8", "hydra.run.dir=one")
    two = gantrain(
        *WORDS, "iterations=4", "data.batch_size=4", "trainer.devices=2", "trainer.threads=3", "hydra.run.dir=two"
    )
    assert (one.code, two.code) == (0, 0), two
    a, b = newest("one"), newest("two")
    assert a["images_seen"] == b["images_seen"] == 32
    assert len(b["rng"]) == 2
    for kind in ("networks", "ema"):
        for name, state in a[kind].items():
            for key, value in state.items():
                assert torch.allclose(value, b[kind][name][key], atol=1e-6), (kind, name, key)

    assert threads == [torch.get_num_threads(), 3]
    for left, right in zip(records("one"), records("two"), strict=True):
        assert left == pytest.approx(right, abs=1e-5)  # of all samples, not of the first process' half


def records(run):
    values = [record["values"] for record in read_records(Path(run, "metrics.jsonl"))]
    return [{key: value for key, value in v.items() if key != "images_per_second"} for v in values]


def test_what_runs_on_beside_weights_is_of_all_processes(gantrain, quick_workers):
    """After one iteration: the discriminator compares samples of its own process, so weights then differ."""
    path_length = "losses.penalties.path_length={_target_:gantrain.losses.path_length.PathLength}"
    words = ("experiment=stylegan2_mnist", path_length, *WORDS[1:3])
    words += ("logger=none", "callbacks.samples=null", "iterations=1")
    assert gantrain(*words, "data.batch_size=8", "hydra.run.dir=one").code == 0
    assert gantrain(*words, "data.batch_size=4", "trainer.devices=2", "hydra.run.dir=two").code == 0
    (mean, w_avg), (of_two, w_avg_of_two) = (
        (state["shared"]["penalties.path_length"]["mean"], state["networks"]["generator"]["w_avg"])
        for state in (newest("one"), newest("two"))
    )
    assert torch.allclose(w_avg, w_avg_of_two, atol=1e-7)
    assert mean.item() == pytest.approx(of_two.item(), rel=1e-5)
    assert mean > 0
    assert w_avg.abs().max() > 0


def test_two_processes_have_the_clusters_of_one(gantrain, quick_workers):
    words = ("experiment=gan_mnist_keras", *WORDS[1:3], "logger=none", "callbacks.samples=null", "iterations=2")
    words += ("models.clusters=8", "+networks.discriminator.classes=8", "callbacks.networks=null")
    assert gantrain(*words, "data.batch_size=8", "hydra.run.dir=one").code == 0
    assert gantrain(*words, "data.batch_size=4", "trainer.devices=2", "hydra.run.dir=two").code == 0
    one, two = newest("one"), newest("two")
    assert differences(one["shared"], two["shared"]) == []
    for name, state in one["networks"].items():
        for key, value in state.items():
            assert torch.allclose(value, two["networks"][name][key], atol=1e-6), (name, key)


def test_two_processes_grow_alike_though_layers_that_are_not_in_use_have_no_gradient(gantrain, quick_workers):
    words = ("experiment=pggan_mnist", *WORDS[1:3], "logger=none", "callbacks.samples=null", "callbacks.networks=null")
    words += (*SMALLER["pggan_mnist"], "data.batch_size=2", "models.fade_images=16", "stages.r7.iterations=1")
    assert gantrain(*words, "trainer.devices=2", "stages.r28.iterations=3", "hydra.run.dir=two").code == 0
    state = newest("two", "r28")
    assert (state["images_seen"], state["networks"]["generator"]["fade"]) == (12, 0.5)  # 8 of 16 before the last batch
    assert gantrain(*words, "trainer.devices=2", "hydra.run.dir=stopped").code == 0
    assert gantrain("resume", "stopped", "stages.r28.iterations=3").code == 0
    assert differences(newest("stopped", "r28"), state) == []


def test_two_processes_resume_exactly(gantrain, quick_workers):
    words = ("experiment=dcgan_mnist", *WORDS[1:3], "trainer.devices=2")  # dropout: each process its own generator
    assert gantrain(*words, "iterations=2", "hydra.run.dir=stopped").code == 0
    assert gantrain("resume", "stopped", "iterations=4").code == 0
    assert gantrain(*words, "iterations=4", "hydra.run.dir=straight").code == 0
    assert differences(newest("stopped"), newest("straight")) == []
    left, right = newest("straight")["rng"]
    assert not torch.equal(left["torch"], right["torch"])


def test_a_sweep_refuses_several_processes(gantrain):
    result = gantrain("-m", "debug=tiny", "trainer.devices=2", "trainer.accelerator=cpu", "seed=0,1")
    assert result.code == 1
    assert result.err.count("start each job by itself, or use devices=1") == 2


def test_an_error_on_one_process_ends_both_at_once_with_its_sentence(gantrain, quick_workers):
    words = ("experiment=gan_mnist_keras", "debug=tiny", "trainer.accelerator=cpu", "trainer.devices=2")
    Path("run").mkdir()
    Path("run/tensorboard").write_text("")  # in the way of rank 0's curves
    began = time.monotonic()
    result = gantrain(*words, "hydra.run.dir=run")
    assert result.code == 2, result
    assert "tensorboard" in result.err
    assert "Traceback" not in result.err
    assert time.monotonic() - began < 150  # gloo waits for half an hour; a busy machine takes its time
