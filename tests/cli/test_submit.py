"""Runs that are handed to a cluster."""

import pytest
from refusals import refused

from gantrain.cli.submit import Train

submitit = pytest.importorskip("submitit")


def test_a_job_is_described_as_asked(gantrain, monkeypatch):
    """No cluster is at hand: what submitit is told, and that the job is the program with its words."""
    told = {}

    class Executor:
        def __init__(self, folder, cluster):
            told.update(folder=str(folder), cluster=cluster)

        def update_parameters(self, **parameters):
            told.update(parameters)

        def submit(self, work):
            told["work"] = work
            return type("Job", (), {"job_id": "7", "paths": type("P", (), {"stdout": "o", "stderr": "e"})})()

    monkeypatch.setattr(submitit, "AutoExecutor", Executor)
    words = ("debug=tiny", "logger=none", "hydra.run.dir=run")
    result = gantrain("submit", "--nodes", 2, "--gpus", 4, "--hours", 1.5, "--partition", "long", *words)
    assert result.code == 0, result
    assert result.out.splitlines()[0] == "job      7"
    assert (told["nodes"], told["tasks_per_node"], told["gpus_per_node"], told["timeout_min"]) == (2, 4, 4, 90)
    assert told["slurm_partition"] == "long"
    assert told["work"]() == 0  # it trains
    assert told["work"].checkpoint().function is told["work"]  # and is queued again as it is


def test_what_is_wrong_is_one_sentence(gantrain):
    assert "--hours is 0.0" in gantrain("submit", "--hours", 0, "debug=tiny").err
    refused = gantrain("submit", "debug=tiny")
    assert refused.code == 2
    assert refused.err.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value"), [("hours", "nan"), ("tasks", -3), ("tasks", 0), ("memory", -1), ("gpus", -1), ("cpus", 0)]
)
def test_numbers_that_no_job_can_have_are_refused(gantrain, option, value):
    refused = gantrain("submit", "--cluster", "local", f"--{option}={value}", "debug=tiny")
    assert refused.code == 2, refused
    assert f"--{option} is {value}" in refused.err


def test_a_job_with_wrong_words_ends_with_their_code():
    assert Train(["sample"])() == 2  # argparse's


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("experiment=dcgan_mnits",), "did you mean 'dcgan_mnist'"),
        (("dcgan_mnist",), "write experiment=dcgan_mnist"),
        (("networks.generator.widht=8",), "did you mean"),
        (("networks.generator.width=-8",), "networks.generator"),
        (("debug=tiny", "data.dataset.nmae=x"), "data.dataset.nmae"),
        (("resume", "nowhere"), "nowhere is no run"),
        (("resume", "run", "seed=3"), "seed"),
    ],
)
def test_a_mistake_is_told_before_the_job_is_queued(gantrain, run, monkeypatch, words, says):
    monkeypatch.setattr(submitit, "AutoExecutor", lambda **_: pytest.fail("it was queued"))
    refused(gantrain("submit", "--cluster", "local", *words), says)
