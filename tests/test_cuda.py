"""What only a GPU can show: `make test-gpu`. scripts/check_gpu.py looks at every experiment."""

import os

import pytest
import torch
from compare import differences, newest

from gantrain.evaluation.extraction import Features
from gantrain.evaluation.samples import CONDITIONAL, SCORES, SampleScores

pytestmark = pytest.mark.cuda
EXACT = ("trainer.accelerator=gpu", "trainer.deterministic=true", "callbacks.networks=null", "logger=none")


@pytest.fixture(autouse=True)
def _exact(monkeypatch):
    monkeypatch.setitem(os.environ, "CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("experiment", ["dcgan_digits", "dcgan_mnist", "wgan_mnist", "infogan_mnist", "cyclegan_small"])
def test_captured_runs_resume_to_the_same_bits(experiment, gantrain):
    words = (f"experiment={experiment}", "debug=tiny", "evaluation=none", *EXACT)
    assert gantrain(*words, "iterations=12", "hydra.run.dir=straight").code == 0
    assert gantrain(*words, "iterations=6", "hydra.run.dir=stopped").code == 0
    resumed = gantrain("resume", "stopped", "iterations=12")
    assert resumed.code == 0, resumed
    assert "not captured" not in resumed.out
    assert differences(newest("stopped"), newest("straight")) == []


def test_compiled_networks_are_captured_and_resume_to_the_same_bits(gantrain):
    words = ("experiment=dcgan_mnist", "debug=tiny", "evaluation=none", "trainer.compile=default", *EXACT)
    straight = gantrain(*words, "iterations=12", "hydra.run.dir=straight")
    assert straight.code == 0, straight
    assert gantrain(*words, "iterations=6", "hydra.run.dir=stopped").code == 0
    resumed = gantrain("resume", "stopped", "iterations=12")
    assert resumed.code == 0, resumed
    assert "not captured" not in straight.out + resumed.out
    assert "not compiled" not in straight.out + resumed.out
    assert differences(newest("stopped"), newest("straight")) == []


def test_scores_there_are_those_of_the_cpu():
    generator = torch.Generator().manual_seed(0)
    both = [(torch.randn(700, 32, generator=generator), torch.randn(700, 10, generator=generator)) for _ in range(2)]
    names = [name for name, (needs, _) in SCORES.items() if CONDITIONAL not in needs]
    found = []
    for device in ("cpu", "cuda"):
        sides = [Features(x.to(device), p.to(device).softmax(1), None) for x, p in both]
        found.append(SampleScores(resamples=3).score(names, *sides, [sides[0]]))
    for name in names:
        one, other = (scores[name] for scores in found)
        assert other.value == pytest.approx(one.value, rel=1e-5, abs=1e-3), (
            name
        )  # a neighbour on a ball's edge may move
        assert other.error == pytest.approx(one.error, rel=1e-3, abs=1e-3), name


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed"])
def test_the_default_callbacks_look_at_networks_on_the_gpu(gantrain, precision):
    trained = gantrain("debug=tiny", "trainer.accelerator=gpu", f"trainer.precision={precision}", "hydra.run.dir=run")
    assert trained.code == 0, trained
    assert gantrain("sample", "run", "-n", 4, "--out", "out").code == 0


def test_a_checkpoint_of_the_cpu_goes_on_there(gantrain):
    assert gantrain("debug=tiny", "trainer.accelerator=cpu", "hydra.run.dir=run").code == 0
    resumed = gantrain("resume", "run", "iterations=8", "trainer.accelerator=gpu")
    assert resumed.code == 0, resumed
    back = gantrain("resume", "run", "iterations=10", "trainer.accelerator=cpu")
    assert back.code == 0, back
