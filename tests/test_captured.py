"""Where iterations are recorded, several are one step of Lightning. That every experiment can be recorded is in
`test_experiments.py`."""

import json
from pathlib import Path

from compare import differences, newest
from recorder import Recorder

from gantrain.models.loop import rounds
from gantrain.training import fit


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
