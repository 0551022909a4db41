"""Every experiment composes, trains two iterations, resumes to the same bits as without a stop, and is sampled."""

import json

import pytest
from compare import differences, newest

from gantrain.config_files import configs_folder
from gantrain.runs import load_network

FOLDER = configs_folder() / "experiment"
EXPERIMENTS = sorted(str(file.relative_to(FOLDER).with_suffix("")) for file in FOLDER.rglob("*.yaml"))


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_trains_resumes_exactly_and_samples(experiment, gantrain, tmp_path):
    words = (f"experiment={experiment}", "debug=tiny", "callbacks.metrics.every=1")
    assert gantrain(*words, "hydra.run.dir=stopped").code == 0
    resumed = gantrain("resume", "stopped", "iterations=5")
    assert resumed.code == 0, resumed
    assert gantrain(*words, "iterations=5", "hydra.run.dir=straight").code == 0
    # 5 batches of 8 from 64 images: the stop lies inside an epoch
    assert newest("straight")["iteration"] == 5
    assert differences(newest("stopped"), newest("straight")) == []

    def records(run):
        lines = [json.loads(line) for line in (tmp_path / run / "metrics.jsonl").read_text().splitlines()]
        return [(r["iteration"], {k: v for k, v in r["values"].items() if k != "images_per_second"}) for r in lines]

    assert records("stopped") == records("straight")
    assert [iteration for iteration, _ in records("stopped")] == [1, 2, 3, 4, 5]

    sampled = gantrain("sample", "straight", "-n", 3, "--out", "pictures")
    assert sampled.code == 0, sampled
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 3
    assert (tmp_path / "straight" / "samples" / "progress.gif").stat().st_size > 0
    load_network(tmp_path / "straight" / "networks" / "generator")


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_header_says_what_it_is(experiment):
    head = [line for line in (FOLDER / f"{experiment}.yaml").read_text().splitlines() if line.startswith("#")]
    assert head[0] == "# @package _global_"
    assert head[1].endswith(".")
    text = "\n".join(head)
    for fact in ("paper", "data", "command", "cost", "measured"):
        assert f"# {fact}:" in text, f"{experiment}.yaml has no '{fact}:' in its header"
