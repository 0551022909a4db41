"""What only a GPU can show: `make test-gpu`. scripts/check_gpu.py looks at every experiment."""

import os

import pytest
import torch
from compare import differences, newest

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
