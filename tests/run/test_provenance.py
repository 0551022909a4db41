"""What made a run and what it cost: one line each, and only whole lines are read."""

import json
from pathlib import Path

from gantrain.run.provenance import NAME, note_stage, read_costs, read_starts


def test_a_run_says_what_made_it_each_time(gantrain):
    words = ("debug=tiny", "callbacks.samples.count=4", "seed=3", "hydra.run.dir=run")
    assert gantrain(*words).code == 0
    assert gantrain("resume", "run", "iterations=3").code == 0
    first, second = read_starts(Path("run"))
    assert first["overrides"] == ["debug=tiny", "callbacks.samples.count=4", "seed=3"]
    assert first["command"] == "gantrain " + " ".join(words)
    assert second["overrides"] == ["iterations=3"]
    assert all(first[key] for key in ("date", "gantrain", "torch", "python", "host", "device"))
    assert [line["iterations"] for line in lines("run") if "stage" in line] == [2, 1]
    assert read_costs(Path("run"), "train")["seconds"]["iterations"] > 0


def lines(folder):
    return [json.loads(line) for line in Path(folder, NAME).read_text().splitlines()]


def test_costs_add_up_and_memory_is_the_most(tmp_path):
    note_stage(tmp_path, "gan", 10, {"iterations": 1.5, "scores": 2.0}, {"process": 700, "gpu": 90})
    note_stage(tmp_path, "gan", 10, {"iterations": 1.0}, {"process": 800})
    note_stage(tmp_path, "other", 10, {"iterations": 9.0}, {"process": 9000})
    with (tmp_path / NAME).open("a") as stream:
        stream.write('{"stage": "gan", "seconds": {"iterations": "x"}, "memory": 3}\n[1]\n{"date": 5}\n{"sta')
    assert read_costs(tmp_path, "gan") == {
        "seconds": {"iterations": 2.5, "scores": 2.0},
        "memory": {"process": 800, "gpu": 90},
    }
    assert read_starts(tmp_path) == []
