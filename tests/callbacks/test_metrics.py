"""metrics.jsonl and TensorBoard count iterations and are cut when a run goes back."""

import json
import shutil
import time

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

WORDS = ("debug=tiny", "callbacks.metrics.every=2", "callbacks.samples.count=4")


def curves(folder):
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0}).Reload()
    return {tag: [e.step for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}, events


def test_each_record_is_of_the_iterations_since_the_last(gantrain, tmp_path):
    assert gantrain(*WORDS, "iterations=6", "hydra.run.dir=run").code == 0
    records = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [(r["stage"], r["iteration"], r["images_seen"]) for r in records] == [
        ("train", 2, 16),
        ("train", 4, 32),
        ("train", 6, 48),
    ]
    assert records[0]["seconds"] > 0
    keys = {"discriminator/adv", "discriminator/r1", "generator/adv", "discriminator/real_logit", "images_per_second"}
    assert keys <= set(records[0]["values"])
    steps, events = curves(tmp_path / "run/tensorboard")
    assert steps["discriminator/adv"] == steps["generator/lr"] == [2, 4, 6]
    assert "speed/images_per_second" in steps
    assert [e.step for e in events.Images("samples")] == [0, 6]


def test_a_run_killed_before_its_first_checkpoint_starts_its_curves_anew(gantrain, tmp_path):
    run = tmp_path / "run"
    assert gantrain(*WORDS, "iterations=4", "hydra.run.dir=run").code == 0
    for place in ("checkpoints", "networks"):
        shutil.rmtree(run / place)
    (run / ".hydra/train.begun").unlink()
    assert gantrain("resume", "run").code == 0
    steps, events = curves(run / "tensorboard")
    assert steps["generator/adv"] == [2, 4]
    assert [e.step for e in events.Images("samples")] == [0, 4]


def test_a_resumed_run_continues_the_curves_without_doubles(gantrain, tmp_path):
    run = tmp_path / "run"
    assert gantrain(*WORDS, "iterations=4", "hydra.run.dir=run").code == 0
    with (run / "metrics.jsonl").open("a") as stream:  # as after a crash behind the last checkpoint
        stream.write('{"stage": "train", "iteration": 6, "images_seen": 48, "seconds": 1, "values": {}}\n{"stage": "tr')
    time.sleep(1 - time.time() % 1)  # event files of one process and one second are read in the order of their names
    assert gantrain("resume", "run", "iterations=8").code == 0
    lines = (run / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["iteration"] for line in lines] == [2, 4, 6, 8]
    assert curves(run / "tensorboard")[0]["generator/adv"] == [2, 4, 6, 8]
